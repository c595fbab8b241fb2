import { expect, test } from 'vitest';
import { fromDataUrl } from './save';
import { toCsv } from './table';

test('a table is CSV that any program reads', () => {
  const table = {
    columns: ['name', 'a "b"'],
    rows: [
      ['x,y', 1.5],
      ['line\nbreak', null],
    ],
  };
  expect(toCsv(table)).toBe('name,"a ""b"""\r\n"x,y",1.5\r\n"line\nbreak",');
});

test('a picture in an address becomes a file', async () => {
  const blob = fromDataUrl('data:image/png;base64,aGVsbG8=');
  expect(blob.type).toBe('image/png');
  expect(await blob.text()).toBe('hello');
});
