"""Sphinx: everything that the pages show is computed when they are built; nothing needs a network."""

import logging
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "scripts"
sys.path[:0] = [str(SCRIPTS), str(HERE.parent)]
# The notebooks run in processes of their own, which find the scripts and the benchmarks by this.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(SCRIPTS), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
)
# Kernels that speak up only if something is wrong, show figures as pictures, and read nobody's own
# IPython profile.
profiles = tempfile.TemporaryDirectory(prefix="alliancegame-docs-")
os.environ["IPYTHONDIR"] = profiles.name
(Path(profiles.name) / "profile_default").mkdir()
(Path(profiles.name) / "profile_default" / "ipython_kernel_config.py").write_text(
    "c = get_config()\nc.IPKernelApp.log_level = 40\n"
    "c.IPKernelApp.exec_lines = ['import page', 'page.draw_figures()', 'del page']\n",
    encoding="utf-8",
)
logging.getLogger("traitlets").setLevel(logging.WARNING)

import alliancegame  # noqa: E402

project = "alliancegame"
author = "alliancegame contributors"
copyright = "2026, alliancegame contributors"
version = release = alliancegame.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_mathml",
    "sphinx_docstrings",
]
exclude_patterns = ["_build", "scripts", "**.ipynb_checkpoints"]
nitpicky = False
default_role = "code"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "smartquotes"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_timeout = 180
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_ipywidgets_js = {}

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"Array": "Array"}
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 120
add_module_names = False
napoleon_google_docstring = False

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"alliancegame {release}"
html_static_path = ["_static"]
html_css_files = ["alliancegame.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
