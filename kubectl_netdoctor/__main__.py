"""`python -m kubectl_netdoctor`."""

from kubectl_netdoctor.cli import main

main()
