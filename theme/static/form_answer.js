// A page that answers a form with the form again can be come back to: its place in the history becomes that of
// the page at its address, which shows what is known by then. Without this the browser's 后退 leads to a
// question whether the form shall be sent once more, or to an error page.
history.replaceState(history.state, "", location.href);
