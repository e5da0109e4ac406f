# A completer that learns nothing: test it with the word none in place of a checkpoint.
model = dict(type='HullCompleter')
