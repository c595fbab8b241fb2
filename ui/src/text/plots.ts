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
  drawFailed: 'The plot could not be drawn',
};
