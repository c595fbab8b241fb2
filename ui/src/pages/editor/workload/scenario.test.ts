import { describe, expect, test } from 'vitest';
import { lengthsFound, lengthsOf } from './lengths';
import { readScenario, type Scenario, writeScenario } from './scenario';

describe('scenario strings', () => {
  test.each([
    'D(512,128)',
    'N(480,240)/(300,150)',
    'U(100,500)/(50,200)',
    'L(6.2,0.8)/(5,0.6)',
    'E(1024)',
    'R(1024,100)',
    'I(512,512)',
    'I(2048,1024,3)',
    '0.7*D(512,128)+0.3*N(480,240)/(300,150)',
    '2*D(512,128)',
    'T(4)+D(200,100)',
    'T(2,8)+0.5*D(200,100)+0.5*D(1,1)',
  ])('%s is read and written back', (text) => {
    const read = readScenario(text);
    expect(read && writeScenario(read)).toBe(text);
  });

  test('spaces and the short uniform form are understood', () => {
    expect(writeScenario(readScenario(' 0.5*D(1, 2) + 0.5*U(10,20)') as Scenario)).toBe(
      '0.5*D(1,2)+0.5*U(1,10)/(1,20)',
    );
  });

  test.each(['', 'D', 'D()', 'D(1)', 'X(1,2)', 'N(1,2)', 'D(1,2)+D(3,4)', '0*D(1,2)', 'D(a,b)', 'T(0)', 'D(1,-2)'])(
    '%j is none',
    (text) => {
      expect(readScenario(text)).toBeNull();
    },
  );
});

describe('lengths of a scenario', () => {
  const of = (text: string, side: 'input' | 'output' = 'input') => lengthsOf(readScenario(text) as Scenario, side);
  const sum = (bars: { share: number }[] = []) => bars.reduce((all, bar) => all + bar.share, 0);

  test('one length is one bar', () => {
    expect(of('D(512,128)', 'output')).toEqual({
      bars: [{ from: 128, to: 128, share: 1 }],
      mean: 128,
      p50: 128,
      p99: 128,
    });
  });

  test('normal, uniform and lognormal lengths have the quantiles that they should', () => {
    const normal = of('N(480,50)/(300,30)');
    expect(normal?.p50).toBe(479);
    expect(normal?.p99).toBe(596);
    expect(normal?.mean).toBeCloseTo(479.5, 0);
    expect(sum(normal?.bars)).toBeCloseTo(0.999, 2);
    expect(of('U(100,500)/(50,200)')).toMatchObject({ p50: 300, p99: 496 });
    expect(of('L(6,0.5)/(5,0.5)')?.p50).toBe(403);
    expect(of('N(10,100)/(1,1)')?.bars[0]?.from, 'no prompt has less than one token').toBe(1);
  });

  test('a mix is weighted, and what has no answer has no lengths of it', () => {
    const mix = of('3*D(10,1)+1*D(100,1)');
    expect(mix?.bars.filter((bar) => bar.share > 0).map((bar) => bar.share)).toEqual([0.75, 0.25]);
    expect(of('E(1024)', 'output')).toBeNull();
    expect(of('R(1000,24)')?.p50).toBe(1024);
    expect(of('I(512,512)')).toBeNull();
  });

  test('what the server found is shown as it is', () => {
    const found = lengthsFound({
      known: 4,
      mean: 15,
      min: 10,
      p50: 12,
      p99: 30,
      histogram: [
        [19, 3],
        [30, 1],
      ],
    });
    expect(found.bars).toEqual([
      { from: 10, to: 19, share: 0.75 },
      { from: 20, to: 30, share: 0.25 },
    ]);
  });
});
