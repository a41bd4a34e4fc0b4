// Sends the page's form on at once. Without scripts its button does the same.
document.getElementById("answer").submit();
