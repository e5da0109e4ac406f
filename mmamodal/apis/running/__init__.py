"""Training, labelling and testing: checkpoints, processes, what the command line says of faults."""
