"""How good is it: cases, measures, the runner, the report and the comparison of runs."""
