"""`clearcall bench ablation`: what each part of the generator contributes."""
