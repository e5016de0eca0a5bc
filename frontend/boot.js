// Sets the theme and starts the dashboard. The build replaces the addresses by hashed ones.

const theme = storedTheme();
if (theme === "light" || theme === "dark") {
  document.documentElement.dataset.theme = theme;
}

const starting = document.getElementById("starting");
try {
  const { default: start } = await import("/rampart-frontend.js");
  await start({ module_or_path: "/rampart-frontend_bg.wasm" });
  starting?.remove();
} catch (error) {
  console.error(error);
  if (starting) {
    starting.setAttribute("role", "alert");
    starting.textContent = `Rampart could not start in this browser: ${error}. Load the page again; if that does not help, use a current version of Firefox, Chrome, Edge or Safari.`;
  }
}

// Without a choice the system's theme holds. Browsers that forbid storage throw.
function storedTheme() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}
