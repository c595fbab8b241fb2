/** Words of the page of presets, and of presets wherever they are merged. */
export const presets = {
  merge: 'How they become one',
  merges: { union: 'All values of all', intersection: 'Only what all have', last_wins: 'The last one wins' },
  mergeHelp: {
    union: 'Every parameter, with the values of all.',
    intersection: 'Only parameters that all have, with the values that all have.',
    last_wins: 'Every parameter, as the last preset that has it says.',
  },
  together: 'Together',
  parameter: 'Parameter',
  values: 'Values',
  nothingTogether: 'They have nothing in common, so nothing is left.',
  constraints: 'Constraints',
  conflicts: (n: number) => (n === 1 ? 'One thing is not followed' : `${n} things are not followed`),
  of: (preset: string) => `of ${preset}`,
};
