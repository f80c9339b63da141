/* The theme: follows the system until the toggle is used, then the choice is remembered.
   A classic script in the head, so that the choice holds before the first paint. */
(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: light)');
  let chosen = null;
  try { chosen = localStorage.getItem('safelight-theme'); } catch { /* storage is off: follow the system */ }

  function apply() {
    const theme = chosen === 'light' || chosen === 'dark' ? chosen : system.matches ? 'light' : 'dark';
    root.dataset.theme = theme;
    const toggle = document.getElementById('theme-toggle');
    toggle?.setAttribute('aria-label', `Switch to the ${theme === 'dark' ? 'light' : 'dark'} theme`);
  }

  apply();
  system.addEventListener('change', apply);
  document.addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme-toggle').addEventListener('click', () => {
      chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
      try { localStorage.setItem('safelight-theme', chosen); } catch { /* then it lasts for this page only */ }
      apply();
    });
  });
})();
