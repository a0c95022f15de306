# A package set called with what it accepts of the arguments that are offered; one that is no function is taken as it is.
set: offered:
let
  inherit (builtins) functionArgs intersectAttrs isAttrs isFunction match toXML;
  isFunctor = isAttrs set && set ? __functor;
  function = if isFunctor then set.__functor set else set;
  accepted = if isFunctor then set.__functionArgs or (functionArgs function) else functionArgs function;
  # `offered:` and `{ system, ... }:` take all that there is, and `{ system }:` no more than it names: only XML tells.
  takesAll = match ".*<(varpat|attrspat ellipsis).*" (toXML function) != null;
in
if !isFunctor && !isFunction set then set
else function (if takesAll && !(isFunctor && set ? __functionArgs) then offered else intersectAttrs accepted offered)
