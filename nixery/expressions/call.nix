# A package set called with what it accepts of the arguments that are offered; one that is no function is taken as it is.
set: offered:
let accepted = builtins.functionArgs set; in
if !builtins.isFunction set then set
else set (if accepted == { } then offered else builtins.intersectAttrs accepted offered)
