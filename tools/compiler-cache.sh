# To be read by a script in the project's root: what was compiled before is not compiled again, also where the build folder
# is gone. ccache, where it is installed, keeps it in its own folder. The settings are those that its manual asks for
# where headers are precompiled.
if command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
fi
