"""The shell scripts of tools/ where pip and venv are played by two small modules.

The scripts run as they are, in a copy of the repository whose path has blanks, and are called from
another directory.
"""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest

REPO = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(shutil.which('bash') is None, reason='the scripts need bash')

VENV = '''
import os, sys, sysconfig
target = sys.argv[-1]
site = f'{target}/lib/python{sysconfig.get_python_version()}/site-packages'
os.makedirs(f'{target}/bin'), os.makedirs(site)
os.symlink(sys.executable, f'{target}/bin/python')
open(f'{target}/pyvenv.cfg', 'w').write(f'home = {os.path.dirname(sys.executable)}\\n')
'''

# Installs empty modules. FAKE_PIP_FAIL='name=message' fails on that requirement,
# FAKE_PIP_BREAK='name' installs a package that does not import, unless pip may not use its cache.
PIP = '''
import os, pathlib, re, sys, sysconfig
args = sys.argv[1:]
if args == ['--version']:
    sys.exit()
with open(os.environ['FAKE_PIP_CALLS'], 'a') as file:
    print(*args, file=file)
site = pathlib.Path(sysconfig.get_paths()['purelib'])
modules = {'onedl-mmcv': 'mmcv', 'onedl-mmengine': 'mmengine', 'onedl-mmdetection': 'mmdet',
           'opencv-python-headless': 'cv2', 'faster-coco-eval': 'faster_coco_eval'}
inner = {'mmcv': ['ops', '_ext'], 'mmdet': ['datasets', 'models'], 'pytest': ['__main__']}
names = [arg for arg in args if re.match('[a-z]', arg)]
for option, value in zip(args, args[1:]):
    if option == '-r':
        lines = pathlib.Path(value).read_text().splitlines()
        names += [line for line in lines if line and line[0] != '#']
    if option == '-e':
        (site / 'editable.pth').write_text(value)
for name in names:
    name, _, version = re.match('([a-z-]+)(==)?([0-9.]*)', name).groups()
    failing, _, message = os.environ.get('FAKE_PIP_FAIL', '').partition('=')
    if name == failing:
        sys.exit(message)
    module = modules.get(name, name)
    folder = site / module
    folder.mkdir(exist_ok=True)
    (folder / '__init__.py').write_text(f"__version__ = '{version or 99}'")
    broken = os.environ.get('FAKE_PIP_BREAK') == name and '--no-cache-dir' not in args
    for file in inner.get(module, []):
        program = 'import sys; print(*sys.argv[1:]); sys.exit(3)' if file == '__main__' else ''
        (folder / f'{file}.py').write_text('import not_there' if broken else program)
    info = site / f'{name.replace("-", "_")}-{version or 99}.dist-info'
    info.mkdir(exist_ok=True)
    (info / 'METADATA').write_text(f'Name: {name}\\nVersion: {version or 99}\\n')
'''


Result = subprocess.CompletedProcess


class Machine:
    """A fresh clone at ``root`` on a machine that has Python and a compiler and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / 'a fresh clone'
        self.python = self.root / '.venv/bin/python'
        self.calls_file = folder / 'calls'
        for name in ('requirements.txt', 'setup.cfg', 'pyproject.toml'):
            _copy(REPO / name, self.root / name)
        for script in ('setup_env.sh', 'run_tests.sh', 'quickstart.sh'):
            _copy(REPO / 'tools' / script, self.root / 'tools' / script)
        _write(self.root / 'mmamodal/__init__.py', '')
        for module, program in dict(venv=VENV, pip=PIP).items():
            _write(folder / f'modules/{module}/__init__.py', '')
            _write(folder / f'modules/{module}/__main__.py', program)
        compiler = self.program('compiler', 'cat >/dev/null')
        self.environment = dict(
            PATH=f'{folder}/bin:{os.environ["PATH"]}', PYTHON=sys.executable, CXX=compiler,
            PYTHONPATH=f'{folder}/modules', FAKE_PIP_CALLS=str(self.calls_file), HOME=str(folder),
            LC_ALL='C', PIP_NO_INDEX='1', PIP_FIND_LINKS='')

    def program(self, name: str, body: str) -> str:
        path = self.folder / 'bin' / name
        _write(path, f'#!/bin/sh\n{body}\n')
        path.chmod(0o755)
        return name

    def run(self, script: str, *arguments: str, **environment: Optional[str]) -> Result:
        """Runs a script of tools/; a variable that is None is absent."""
        merged = {**self.environment, **environment}
        return subprocess.run(
            ['bash', str(self.root / 'tools' / script), *arguments],
            cwd=self.folder, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
            env={name: value for name, value in merged.items() if value is not None})

    def setup(self, *arguments: str, **environment: Optional[str]) -> Result:
        return self.run('setup_env.sh', *arguments, **environment)

    def pip_calls(self) -> List[str]:
        """What pip was asked for since the last call of this method, one line each."""
        self.calls_file.touch()
        calls = self.calls_file.read_text().splitlines()
        self.calls_file.unlink()
        return calls

    def users_environment(self, *modules: str) -> Dict[str, str]:
        """Makes an environment with these empty modules; returns what says that it is active."""
        target = self.folder / 'users environment'
        base = os.path.realpath(sys.executable)
        subprocess.run([base, '-m', 'venv', str(target)], check=True, env=self.environment)
        site = next(target.glob('lib/*/site-packages'))
        for module in modules:
            _write(site / f'{module.replace(".", "/")}.py', "__version__ = '2.1.0'")
        _write(site / 'torch-2.1.0.dist-info/METADATA', 'Name: torch\nVersion: 2.1.0\n')
        return dict(VIRTUAL_ENV=str(target))


OPENMMLAB = ('torch/__init__', 'mmcv/__init__', 'mmcv/_ext', 'mmcv/ops', 'mmengine/__init__',
             'mmdet/__init__', 'mmdet/datasets', 'mmdet/models', 'cv2/__init__')


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture(scope='module')
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Machine, Result, List[str]]:
    """A machine, what its first set-up printed, and what that asked pip for."""
    machine = Machine(tmp_path_factory.mktemp('installed'))
    result = machine.setup()
    return machine, result, machine.pip_calls()


@pytest.fixture
def installed(first_run: Tuple[Machine, Result, List[str]]) -> Machine:
    machine = first_run[0]
    machine.calls_file.unlink(missing_ok=True)
    return machine


def _asked_for(calls: List[str], name: str) -> bool:
    return any(re.search(rf'(^| ){name}($|[ =])', call) for call in calls)


def _only_error(result: Result) -> str:
    """The one line that a failed script prints besides its progress."""
    assert result.returncode == 1
    assert 'Traceback' not in result.stdout + result.stderr
    assert result.stderr.count('\n') == 1, result.stderr
    assert result.stderr.startswith('error: ')
    return result.stderr


def test_first_run_installs_in_order(first_run: Tuple[Machine, Result, List[str]]) -> None:
    _, result, calls = first_run
    assert result.returncode == 0, result.stderr
    torch, tools, mmcv, rest, mmdet, mmamodal = [call.split()[-1] for call in calls]
    assert torch == 'torch==2.13.0'
    assert tools == 'wheel'
    assert mmcv.startswith('onedl-mmcv==')
    assert rest.endswith('requirements.txt')
    assert mmdet.startswith('imaug')
    assert mmamodal.endswith('clone')


def test_pip_may_not_exchange_torch_nor_bring_the_opencv_that_needs_libgl(
        first_run: Tuple[Machine, Result, List[str]]) -> None:
    machine, _, calls = first_run
    assert (machine.root / '.setup/constraints.txt').read_text() == 'torch==2.13.0\n'
    for call in calls[1:]:
        assert '--no-deps' in call or 'constraints.txt' in call, call
    assert '--no-build-isolation' in calls[2]
    assert not _asked_for(calls, 'opencv-python')


def test_second_run_installs_nothing(installed: Machine) -> None:
    result = installed.setup()
    assert result.returncode == 0, result.stderr
    assert result.stdout == f'environment ready: {installed.python}\n'
    assert installed.pip_calls() == []


@pytest.mark.parametrize('changed', ['requirements.txt', 'setup.cfg'])
def test_changed_requirements_are_installed_without_another_mmcv(
        installed: Machine, changed: str) -> None:
    with open(installed.root / changed, 'a', encoding='utf-8') as file:
        file.write('# changed\n')
    assert installed.setup().returncode == 0
    calls = installed.pip_calls()
    assert calls
    assert not _asked_for(calls, 'onedl-mmcv')
    assert not _asked_for(calls, 'torch')


def test_torch_is_the_users_choice(machine: Machine) -> None:
    fails_later = dict(CXX='no-such-compiler')
    machine.setup(MMAMODAL_TORCH='torch==2.9.0 --no-index', **fails_later)
    assert machine.pip_calls()[0].endswith('torch==2.9.0 --no-index')


def test_run_tests_hands_over_arguments_output_and_exit_status_of_pytest(
        installed: Machine) -> None:
    result = installed.run('run_tests.sh', '-k', 'two words')
    assert result.returncode == 3
    assert result.stdout.splitlines()[-1] == '-k two words'


NO_NETWORK = ("WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n"
              'ERROR: No matching distribution found for torch==2.13.0')
NO_TORCH = 'ERROR: No matching distribution found for torch==2.13.0'
NO_MEMORY = 'c++: fatal error: Killed signal terminated program cc1plus'
NO_HEADER = 'a\nnms.cpp:1:2: fatal error: vector: No such file\nERROR: Failed building wheel'
NO_SPACE = 'ERROR: [Errno 28] No space left on device'


@pytest.mark.parametrize(('environment', 'words'), [
    (dict(PYTHON='old-python'), ['expected Python 3.10 to 3.13', 'old-python (3.8)', 'PYTHON']),
    (dict(PYTHON='new-python'), ['expected Python 3.10 to 3.13', 'new-python (4.0)', 'PYTHON']),
    (dict(PYTHON='no-such-python'), ['expected Python 3.10 to 3.13', 'found none', 'PYTHON']),
    (dict(CXX='no-such-compiler'), ['no C++ compiler (no-such-compiler)', 'g++']),
    (dict(CXX='broken-compiler -O2'), ['broken-compiler -O2 cannot compile C++17']),
    (dict(FAKE_PIP_FAIL=f'torch={NO_NETWORK}'), ['torch', 'cannot be reached', '/torch.log']),
    (dict(FAKE_PIP_FAIL=f'torch={NO_TORCH}'), ['no such torch', 'MMAMODAL_TORCH', '/torch.log']),
    (dict(FAKE_PIP_FAIL=f'onedl-mmcv={NO_MEMORY}'), ['mmcv', 'MAX_JOBS=1', '/mmcv.log']),
    (dict(FAKE_PIP_FAIL=f'onedl-mmcv={NO_HEADER}'),
     ['mmcv: nms.cpp:1:2: fatal error: vector', '/mmcv.log']),
    (dict(FAKE_PIP_FAIL=f'scipy={NO_SPACE}'), ['no space is left', '/requirements.log']),
    (dict(FAKE_PIP_FAIL='onedl-mmdetection=ERROR: other'), ['mmdet: ERROR: other', '/mmdet.log']),
    (dict(FAKE_PIP_BREAK='onedl-mmdetection'),
     ["does not import: ModuleNotFoundError: No module named 'not_there'"]),
])
def test_what_is_missing_is_said_in_one_line(
        machine: Machine, environment: Dict[str, str], words: List[str]) -> None:
    machine.program('old-python', 'echo 3.8')
    machine.program('new-python', 'echo 4.0')
    machine.program('broken-compiler', 'exit 1')
    error = _only_error(machine.setup(**environment))
    for word in words:
        assert word in error


def test_full_disk_is_said_in_one_line(machine: Machine) -> None:
    machine.program('df', 'echo Filesystem; echo /dev/disk 99999999 90000000 3145728 90% /')
    error = _only_error(machine.setup())
    assert 'expected 4 GB free' in error
    assert 'found 3 GB' in error
    assert machine.pip_calls() == []


def test_no_python_at_all(machine: Machine) -> None:
    for version in ('3', '3.10', '3.11', '3.12', '3.13'):
        machine.program(f'python{version}', 'exit 127')
    assert 'found none' in _only_error(machine.setup(PYTHON=None))


def test_first_fitting_python_is_taken(machine: Machine) -> None:
    machine.program('python3', 'echo 3.9')
    machine.program('python3.12', f'exec "{sys.executable}" "$@"')
    machine.setup(PYTHON=None, CXX='no-such-compiler')
    assert machine.python.exists()


def test_run_goes_on_after_a_failed_build(machine: Machine) -> None:
    _only_error(machine.setup(FAKE_PIP_FAIL='onedl-mmcv=error: killed'))
    machine.pip_calls()
    assert machine.setup().returncode == 0
    calls = machine.pip_calls()
    assert _asked_for(calls, 'onedl-mmcv')
    assert not _asked_for(calls, 'torch')


def test_half_made_venv_is_made_anew(machine: Machine) -> None:
    _write(machine.root / '.venv/mmamodal-environment', '')
    result = machine.setup()
    assert result.returncode == 0, result.stderr
    assert machine.python.exists()


def test_half_installed_package_leads_to_a_fresh_venv(machine: Machine) -> None:
    machine.setup()
    site = next(machine.root.glob('.venv/lib/*/site-packages'))
    _write(site / 'leftover.txt', '')
    (site / 'mmcv/__init__.py').write_text('import not_there')
    (machine.root / '.venv/mmamodal-environment').write_text('')
    result = machine.setup()
    assert result.returncode == 0, result.stderr
    assert 'fresh .venv' in result.stdout
    assert not (site / 'leftover.txt').exists()


def test_mmcv_that_pip_kept_for_another_torch_is_compiled_again(machine: Machine) -> None:
    result = machine.setup(FAKE_PIP_BREAK='onedl-mmcv')
    assert result.returncode == 0, result.stderr
    built = [call for call in machine.pip_calls() if 'onedl-mmcv' in call]
    assert ['--no-cache-dir' in call for call in built] == [False, True]


def test_active_environment_with_openmmlab_packages_is_only_added_to(machine: Machine) -> None:
    active = machine.users_environment(*OPENMMLAB)
    result = machine.setup('--active', PYTHON=None, **active)
    assert result.returncode == 0, result.stderr
    calls = machine.pip_calls()
    handed = (machine.root / '.setup/requirements.txt').read_text()
    for name in ('torch', 'onedl-mmcv', 'onedl-mmengine', 'onedl-mmdetection', 'imaug',
                 'opencv-python-headless'):
        assert not _asked_for(calls, name)
        assert not re.search(rf'^{name}\b', handed, re.MULTILINE)
    assert (machine.root / '.setup/constraints.txt').read_text() == 'torch==2.1.0\n'
    assert not (machine.root / '.venv').exists()
    assert machine.setup('--active', PYTHON=None, **active).returncode == 0
    assert machine.pip_calls() == []


def test_active_environment_with_a_broken_mmcv_is_left_alone(machine: Machine) -> None:
    active = machine.users_environment(*[name for name in OPENMMLAB if name != 'mmcv/_ext'])
    error = _only_error(machine.setup('--active', PYTHON=None, **active))
    assert 'no operators' in error
    assert not _asked_for(machine.pip_calls(), 'onedl-mmcv')


def test_active_environment_with_an_old_python(machine: Machine) -> None:
    machine.program('python3', '[ "$1" = -c ] && case $2 in *print*) echo 3.8;; *) exit 1;; esac')
    assert 'found 3.8' in _only_error(machine.setup('--active', PYTHON=None))


def test_venv_of_the_user_is_not_removed(machine: Machine) -> None:
    _write(machine.root / '.venv/precious.txt', '')
    assert 'does not run' in _only_error(machine.setup())
    assert (machine.root / '.venv/precious.txt').exists()


FAKE_TRAIN = '''
import pathlib, sys
stem = pathlib.Path(sys.argv[1]).stem
stems = [stem, 'asbu_unet_scenes'] if stem.endswith('-asbu') else [stem]
for stem in stems:
    folder = pathlib.Path('work_dirs', stem)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'last_checkpoint').write_text(f'/moved/since/{stem}/iter_9.pth')
'''


@pytest.fixture
def quickstart_machine(installed: Machine) -> Machine:
    _write(installed.root / 'tools/train.py', FAKE_TRAIN)
    _write(installed.root / 'tools/test.py', '')
    _write(installed.root / 'tools/analysis_tools/report.py', '')
    return installed


def test_quickstart_walks_the_chain_and_names_the_report(quickstart_machine: Machine) -> None:
    result = quickstart_machine.run('quickstart.sh')
    assert result.returncode == 0, result.stderr
    headings = re.findall(
        r'^=== (\d/\d) .*\(\d+:\d\d since the start\)$', result.stdout, re.MULTILINE)
    assert headings == [f'{number}/8' for number in range(1, 9)]
    assert ('tools/test.py configs/asbu/asbu_unet_scenes.py work_dirs/asbu_unet_scenes/iter_9.pth'
            in result.stdout)
    report = quickstart_machine.root / 'work_dirs/quickstart/report.html'
    assert str(report) in result.stdout.splitlines()[-1]


def test_quickstart_commands_name_configs_that_exist(quickstart_machine: Machine) -> None:
    result = quickstart_machine.run('quickstart.sh')
    configs = set(re.findall(r'configs/\S+\.py', result.stdout))
    assert len(configs) == 5
    for config in configs:
        assert (REPO / config).is_file(), config


def test_quickstart_says_which_step_failed(quickstart_machine: Machine) -> None:
    _write(quickstart_machine.root / 'tools/test.py', 'raise SystemExit(1)')
    assert 'step 3 of 8' in _only_error(quickstart_machine.run('quickstart.sh'))


def test_quickstart_refuses_an_unknown_argument(quickstart_machine: Machine) -> None:
    assert 'got --actve' in _only_error(quickstart_machine.run('quickstart.sh', '--actve'))


def test_setup_cfg_and_requirements_agree() -> None:
    lines = (REPO / 'requirements.txt').read_text(encoding='utf-8').splitlines()
    config = configparser.ConfigParser()
    config.read(REPO / 'setup.cfg', encoding='utf-8')
    listed = config['options']['install_requires'] + config['options.extras_require']['tests']
    for requirement in listed.split('\n'):
        assert requirement == '' or requirement in lines


def test_links_and_scripts_of_the_readme_exist() -> None:
    text = (REPO / 'README.md').read_text(encoding='utf-8')
    links = re.findall(r'\]\(([^):]+)\)', text) + re.findall(r'\b(tools/[\w/]+\.\w+)', text)
    links += [f'configs/{path}' for path in re.findall(r"'\.\./(\w+/[^'*]+\.py)'", text)]
    assert links
    for link in links:
        assert (REPO / link.split('#')[0]).exists(), link
