// Sets the theme before anything is painted, then starts the dashboard. Not a module: modules wait until the
// page is parsed, and the wrong theme would be seen until then. The build replaces the addresses by hashed ones.

const theme = storedTheme();
if (theme === "light" || theme === "dark") {
  document.documentElement.dataset.theme = theme;
}
start();

async function start() {
  try {
    const { default: initialise } = await import("/rampart-frontend.js");
    await initialise({ module_or_path: "/rampart-frontend_bg.wasm" });
    document.getElementById("starting")?.remove();
  } catch (error) {
    console.error(error);
    const starting = document.getElementById("starting");
    if (starting) {
      starting.setAttribute("role", "alert");
      starting.textContent = `Rampart could not start in this browser: ${error}. Load the page again; if that does not help, use a current version of Firefox, Chrome, Edge or Safari.`;
    }
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
