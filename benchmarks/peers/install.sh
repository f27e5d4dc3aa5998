# Sourced by benchmarks/run.sh from the repository's root: PEERS_PYTHON is a Python with all that the peers need. Where
# none is named, build/peers-venv is made and filled from PyPI. README.md beside this says what each package is for.
if [ -z "${PEERS_PYTHON:-}" ]; then
  venv=build/peers-venv
  [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
  install() { "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "$@"; }

  install numpy==2.4.6 typing_extensions==4.16.0 sympy==1.14.0 mpmath==1.3.0 cleanlab==2.9.0 scikit-learn==1.9.1 \
    scipy==1.17.1 joblib==1.6.0 threadpoolctl==3.8.0 cloudpickle==3.1.3 narwhals==2.29.0 pandas==3.1.1 \
    python-dateutil==4.0.0 tqdm==4.70.1 termcolor==3.3.0 pyhessian==0.1
  install torch==2.11.0 nvidia-cusparselt-cu13==0.8.0 nvidia-nvshmem-cu13==3.4.5 nvidia-cufile==1.15.1.6

  # The wheel loads CUDA's libraries even on a CPU: the toolkit's if it is there, otherwise PyPI's.
  for nvcc in "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    if [ -x "$nvcc" ]; then
      toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
      LD_LIBRARY_PATH="$toolkit/lib64:$(find "$PWD/$venv" -path '*/nvidia/*' -name '*.so*' -printf '%h\n' | sort -u |
        paste -sd:)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
      export LD_LIBRARY_PATH
      break
    fi
  done
  if ! "$venv/bin/python" -c 'import torch' 2> /dev/null; then
    install nvidia-cublas==13.1.0.3 nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96 \
      nvidia-cudnn-cu13==9.19.0.56 nvidia-cufft==12.0.0.61 nvidia-curand==10.4.0.35 nvidia-cusparse==12.6.3.3 \
      nvidia-nccl-cu13==2.28.9 nvidia-nvjitlink==13.0.88
  fi
  PEERS_PYTHON=$venv/bin/python
fi
"$PEERS_PYTHON" -c 'import torch' || exit 1
export PEERS_PYTHON
