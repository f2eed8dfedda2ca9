"""`clearcall bench model`: the page that tells what a model is, written from measurements."""
