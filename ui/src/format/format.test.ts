import { describe, expect, test } from 'vitest';
import * as f from './index';

const plain = (text: string) => text.replaceAll('\u202f', ' ').replaceAll('\u2212', '-');

describe('numbers', () => {
  test.each([
    [0, '0'],
    [44.43, '44.4'],
    [0.012345, '0.0123'],
    [1234.5, '1235'],
    [12345.6, '12 346'],
    [1_234_567, '1 234 567'],
    [-2.71999, '-2.72'],
    [99.99, '100'],
    [0.00001234, '1.23e-5'],
    [1e15, '1.00e15'],
    [Number.NaN, '–'],
    [null, '–'],
    [undefined, '–'],
  ])('%s is %s', (value, text) => expect(plain(f.number(value))).toBe(text));

  test('of axes', () => {
    expect([0, 20, 0.25, 1600, 20_000, -1.5, 3e9, 0.00002].map((value) => plain(f.tick(value)))).toEqual([
      '0',
      '20',
      '0.25',
      '1600',
      '20 000',
      '-1.5',
      '3e9',
      '2e-5',
    ]);
  });

  test('shares and changes', () => {
    expect(f.percent(0.0312)).toBe('3.1 %');
    expect(f.change(0.0312)).toBe('+3.1 %');
    expect(plain(f.change(-0.38))).toBe('-38 %');
    expect(f.change(0)).toBe('0 %');
  });

  test('with prefixes', () => {
    expect(f.si(9999, 'tok/s')).toBe('9999 tok/s');
    expect(f.si(12_345, 'tok/s')).toBe('12.3 ktok/s');
    expect(f.si(3_200_000)).toBe('3.20 M');
  });

  test('counts', () => {
    expect(plain(f.count(1000))).toBe('1000');
    expect(plain(f.count(10_000))).toBe('10 000');
  });
});

describe('quantities', () => {
  test('bytes', () => {
    expect(f.bytes(0)).toBe('0 B');
    expect(f.bytes(1536)).toBe('1.50 KiB');
    expect(f.bytes(80 * 2 ** 30)).toBe('80.0 GiB');
  });

  test('metrics have their units', () => {
    expect(f.figure('ttft', 312.4)).toBe('312 ms');
    expect(f.figure('e2e_latency', 12_345)).toBe('12.3 s');
    expect(f.figure('output_throughput', 44.43)).toBe('44.4 tok/s');
    expect(f.figure('error_rate', 0.01)).toBe('1.00 %');
    expect(f.figure('ttft', null)).toBe('–');
    expect(f.smallerIsBetter('tpot')).toBe(true);
    expect(f.smallerIsBetter('goodput')).toBe(false);
  });
});

describe('times', () => {
  test.each([
    [0, '0 s'],
    [0.0421, '42.1 ms'],
    [12.34, '12.3 s'],
    [59.96, '1 min 00 s'],
    [247, '4 min 07 s'],
    [3599.6, '1 h 00 min'],
    [11_100, '3 h 05 min'],
    [187_200, '2 d 4 h'],
  ])('%s s is %s', (seconds, text) => expect(f.duration(seconds)).toBe(text));

  test('a moment is shown in a zone, and in UTC', () => {
    const at = '2026-11-28T23:30:05Z';
    expect(f.dateTime(at, 'Asia/Kolkata')).toBe('29 Nov 2026, 05:00:05');
    expect(f.timeOfDay(at, 'America/New_York')).toBe('18:30:05');
    expect(f.utc(at)).toBe('2026-11-28 23:30:05 UTC');
  });

  test('how long ago', () => {
    const now = Date.parse('2026-11-28T12:00:00Z');
    expect(f.ago('2026-11-28T11:59:50Z', now, 'just now')).toBe('just now');
    expect(f.ago('2026-11-28T11:57:00Z', now, '')).toBe('3 min. ago');
    expect(f.ago('2026-11-26T11:57:00Z', now, '')).toBe('2 days ago');
    expect(f.ago('2026-11-28T14:00:30Z', now, '')).toBe('in 2 hr.');
  });
});

describe('intervals and flags', () => {
  test('a factor is told as a change', () => {
    const ratio = { low: 1.028, estimate: 1.031, high: 1.035, pairs: 4 };
    expect(f.changeEstimate(ratio)).toBe('+3.1 %');
    expect(f.changeInterval(ratio)).toBe('+2.8 % to +3.5 %');
    expect(f.interval(2.8, 3.5, 'tok/s', 2)).toBe('2.8 to 3.5 tok/s');
  });

  test('texts that look like something else are quoted', () => {
    expect(f.flagValue('4bit')).toBe('4bit');
    expect(f.flagValue('4')).toBe('"4"');
    expect(f.flagValue('true')).toBe('"true"');
    expect(f.flagValue(true)).toBe('true');
    expect(f.flagValue(null)).toBe('unset');
    expect(f.configurationLine({ threads: 2, 'flash-attn': 'on' })).toBe('threads=2 flash-attn=on');
  });
});
