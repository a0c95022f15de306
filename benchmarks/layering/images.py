"""What the study's users ask for: names of Debian packages. Fixed before any strategy was tried."""

MAINS = (
    "python3-opencv", "blender", "octave", "qgis", "gnuradio", "paraview", "spyder", "freecad", "obs-studio",
    "gnome-core", "kde-plasma-desktop", "kdenlive", "digikam", "evolution", "scilab", "cantor", "okular",
    "mate-desktop-environment", "cinnamon", "lxqt", "gnucash", "kdevelop", "gnome-builder", "shotcut", "kodi",
    "labplot", "synfigstudio",
)  # fmt: skip
"""Each needs more than 300 paths together with BASE, so that the limit of layers binds; the most wanted first."""

BASE = ("bash", "coreutils", "ca-certificates", "netbase")
"""Part of every image."""

EXTRAS = (
    "git", "curl", "vim", "python3-scipy", "htop", "jq", "ffmpeg", "openssh-client", "python3-matplotlib", "gcc",
    "r-base", "tmux", "python3-pandas", "imagemagick", "gimp", "make", "nodejs", "libreoffice-calc", "graphviz",
    "inkscape", "gdb", "firefox-esr", "postgresql-client", "vlc", "emacs", "texlive-latex-base", "strace", "ruby",
    "sqlite3", "wget",
)  # fmt: skip
"""What is added to a main package."""
