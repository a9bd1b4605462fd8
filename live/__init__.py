"""What we do: the light runner. It loads signed data, never code, and only what the base install holds."""

import os

# On one thread, before NumPy is first imported: BLAS on several adds up in another order by how many there are, so that
# bits would hang on the machine, and matrices as small as ours wait for a second thread longer than they are worked on.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
