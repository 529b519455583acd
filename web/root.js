// The examples name the server as the browser reached it.
const here = location.origin + location.pathname;
document.getElementById('here').textContent = here;
document.getElementById('origin').textContent = here.replace(/\/$/, '');
