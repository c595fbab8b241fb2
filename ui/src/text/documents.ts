/** Words of the editors of documents, whatever they hold: values, findings, text. */
export const documents = {
  unreadable: (why: string) => `This is not YAML: ${why}`,
  notOneOf: (value: string) => `${value} is not one of the words that may stand here`,
  wrongType: (types: string) => `Expected: ${types}`,
  outOfRange: (value: number) => `${value} is out of range`,
  range: (low?: number, high?: number) =>
    low === undefined ? `at most ${high}` : high === undefined ? `at least ${low}` : `${low} to ${high}`,
  missing: (key: string) => `${key} is missing`,
  unknown: (key: string) => `There is no field ${key}`,
  types: {
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    object: 'a map',
    array: 'a list',
  } as Record<string, string>,
};
