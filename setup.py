"setuptools entry: what settings.ini says, which nbdev reads too; the name and the oldest Python are in pyproject.toml"
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
parser = ConfigParser(delimiters=['='])
parser.read(here/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']
# links that begin at the repository's root go to the repository, so that they hold on the package's page too
def at_home(link): return f"{link[0]}{cfg['git_url']}/{'raw' if link[0].startswith('!') else 'blob'}/{cfg['branch']}/"

readme = re.sub(r'!?\[[^]]*\]\((?!https?:|#)', at_home, (here/'README.md').read_text(encoding='utf-8'))

setup(
    version=cfg['version'], description=cfg['description'], keywords=cfg['keywords'],
    author=cfg['author'], author_email=cfg['author_email'], url=cfg['git_url'],
    project_urls={'Documentation': cfg['doc_host'] + cfg['doc_baseurl'], 'Changelog': f"{cfg['git_url']}/blob/{cfg['branch']}/CHANGELOG.md", 'Issues': cfg['git_url'] + '/issues'},
    license='Apache-2.0 AND OFL-1.1', license_files=['LICENSE', 'NOTICE', 'saju_naming/data/fonts/OFL.txt'],
    long_description=readme, long_description_content_type='text/markdown',
    classifiers=['Development Status :: 3 - Alpha', 'Natural Language :: Korean', 'Operating System :: OS Independent',
                 *(f'Programming Language :: Python :: {v}' for v in ('3', '3.11', '3.12', '3.13')),
                 'Topic :: Scientific/Engineering :: Artificial Intelligence', 'Typing :: Typed'],
    packages=find_packages(include=['saju_naming', 'saju_naming.*']),
    package_data={'saju_naming': ['py.typed', 'data/**', 'web/**']}, include_package_data=True, zip_safe=False,
    install_requires=cfg['requirements'].split(),
    extras_require={extra: cfg[f'{extra}_requirements'].split() for extra in ('serve', 'collect', 'train', 'flutter', 'dev', 'bench')},
    entry_points={'console_scripts': cfg['console_scripts'].split(), 'nbdev': ['saju_naming=saju_naming._modidx:d']},
)
