"""The parts of integration/bed: booted containers that stand in for the hosts of a cluster.

Bottom up: `system` (commands, processes, the machine's cgroups), `cache` and `root_tree` (what is built once),
`network` (one bridge a bed), `host` (one container), `packages` (our software on a host), `cluster` (a whole bed).
Beside them `machine_image` and `machine`: a virtual machine, for what containers cannot show. Tests use `testing`,
`framework` (a scheduler of a few lines) and `memory` (what our processes hold).
"""
