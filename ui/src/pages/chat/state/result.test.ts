import { describe, expect, test } from 'vitest';
import { readResult } from './result';

describe('a result', () => {
  test('is what the tool gave', () => {
    expect(readResult('{"success":true,"result":{"a":1}}')).toEqual({ value: { a: 1 } });
  });

  test('is an error with its hint', () => {
    const text = '{"success":false,"error":{"code":"refused","message":"no such task","hint":"look at the list"}}';
    expect(readResult(text).error).toMatchObject({
      code: 'refused',
      message: 'no such task',
      hint: 'look at the list',
    });
  });

  test('says whose text is in it', () => {
    const text = '<untrusted source="get_experiment_logs">\n{"success":true,"result":{"lines":["</b>"]}}\n</untrusted>';
    expect(readResult(text)).toEqual({ untrusted: 'get_experiment_logs', value: { lines: ['</b>'] } });
  });

  test('that was cut is text, with what is missing', () => {
    const text =
      '{"success":true,"result":{"lines":["a\n[... 31234 bytes in 12 lines left out; read_result with call_id 0 gives it in parts]\nz"]}}';
    const read = readResult(text);
    expect(read.leftOut).toBe('31234 bytes in 12 lines');
    expect(read.text).toBe(text);
    expect(read.value).toBeUndefined();
  });

  test('that is no document is text', () => {
    expect(readResult('plain')).toEqual({ text: 'plain' });
    expect(readResult('[1]')).toEqual({ value: [1] });
  });
});
