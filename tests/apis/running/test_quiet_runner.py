"""What of a Runner is on the terminal."""

from torch import nn

from mmamodal.apis.running.quiet_runner import QuietRunner


def test_environment_config_and_hooks_are_in_the_log_file_only(tmp_path, capsys):
    runner = QuietRunner(nn.Linear(1, 1), str(tmp_path), experiment_name='quiet')
    runner.logger.info('what follows')
    printed = capsys.readouterr().out
    assert 'what follows' in printed and 'System environment' not in printed
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'System environment' in log and 'Hooks will be executed' in log
