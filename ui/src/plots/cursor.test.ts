import { describe, expect, test } from 'vitest';
import { figuresOf, placeOf, stepOf, stopsOf } from './cursor';

const option = {
  xAxis: [{ name: 'Time (ms)' }, {}],
  yAxis: [{ name: 'Output (tok/s)' }],
  legend: [{ selected: { failed: false } }],
  series: [
    { type: 'line', silent: true, name: 'front', data: [[1, 2]] },
    {
      type: 'scatter',
      name: 'success',
      data: [
        { name: '7', value: [30, 5] },
        { name: '2', value: [10, 9] },
        { name: '3', value: [10, 4] },
      ],
    },
    { type: 'scatter', name: 'failed', data: [{ name: '4', value: [20, 1] }] },
    { type: 'scatter', name: 'infeasible', xAxisIndex: 1, data: [{ name: '5', value: [20, 0] }] },
    { type: 'custom', name: 'spread', data: [{ name: '9', value: [20, 0] }] },
  ],
};

describe('keys in a plot', () => {
  test('go from mark to mark in the order of x, past what the legend hides', () => {
    expect(stopsOf(option).map(({ number }) => number)).toEqual([3, 2, 5, 7]);
    expect(stopsOf({})).toEqual([]);
  });

  test('go in the order of categories where x has no scale', () => {
    const stops = stopsOf({
      xAxis: [{ data: ['not set', '16', '64'] }],
      series: [
        {
          type: 'scatter',
          data: [
            { name: '1', value: ['64', 1] },
            { name: '2', value: ['not set', 1] },
          ],
        },
      ],
    });
    expect(stops.map(({ number, x }) => [number, x])).toEqual([
      [2, 0],
      [1, 2],
    ]);
  });

  test('begin at an end and stop at the ends', () => {
    expect(stepOf('ArrowRight', -1, 4)).toBe(0);
    expect(stepOf('ArrowLeft', -1, 4)).toBe(3);
    expect(stepOf('ArrowRight', 3, 4)).toBe(3);
    expect(stepOf('ArrowLeft', 2, 4)).toBe(1);
    expect([stepOf('Home', 2, 4), stepOf('End', 2, 4)]).toEqual([0, 3]);
    expect(stepOf('ArrowDown', 2, 4)).toBeUndefined();
    expect(stepOf('ArrowRight', -1, 0)).toBeUndefined();
  });

  test('stay on their mark when the plot is drawn anew', () => {
    const stops = stopsOf(option);
    const [first] = stops;
    expect(placeOf(stops, { ...first, series: 8, data: 8 } as (typeof stops)[number])).toBe(0);
    expect(placeOf(stops, null)).toBe(-1);
    expect(placeOf([], first ?? null)).toBe(-1);
  });

  test('say what the axes say of a mark, and of what has no value only its place', () => {
    const stops = stopsOf(option);
    const words = stops.map((stop) => figuresOf(option, stop, String));
    expect(words[0]).toEqual(['Time (ms): 10', 'Output (tok/s): 4']);
    expect(words[2]).toEqual(['Time (ms): 20']);
  });
});
