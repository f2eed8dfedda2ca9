"""`clearcall bench quality`: what the picture gains."""
