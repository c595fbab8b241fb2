/** Words around every plot. */
export const plots = {
  table: 'As a table',
  chart: 'As a plot',
  png: 'Save as PNG',
  svg: 'Save as SVG',
  csv: 'Save as CSV',
  fullScreen: 'Full screen',
  leaveFullScreen: 'Leave full screen',
  exportMenu: 'Save',
  tooFew: 'Too few points',
  tooFewHint: (have: number, need: number) =>
    `There ${have === 1 ? 'is 1 point' : `are ${have} points`}; this needs at least ${need} to say anything.`,
  missed: 'misses an SLO',
  keysHint:
    'Left and right go from experiment to experiment, Home and End to the first and the last; Enter selects, Escape lets all go.',
  keysAt: (n: number, at: number, of: number) => `Experiment ${n}, ${at} of ${of}`,
  keysSelected: 'selected',
  keysCleared: 'Nothing is selected',
  drawFailed: 'The plot could not be drawn',
};
