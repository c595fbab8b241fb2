// Before the first paint: the theme and the density that were chosen, so that nothing flashes or jumps.
try {
  const theme = localStorage.getItem('autotuner.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  if (localStorage.getItem('autotuner.density') === 'roomy') document.documentElement.dataset.density = 'roomy';
} catch {
  // Storage may be forbidden; then the system's theme holds.
}
