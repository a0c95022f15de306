# What becomes of a package: the outputs to build, or the reason why not. Nothing that the set's authors wrote is trusted
# to be of the right kind, and a throw or assert in it refuses this package alone. `names`: see names.nix.
names:
let
  inherit (builtins) all attrNames deepSeq elem filter isAttrs isList isString length map match storeDir stringLength
    substring tryEval typeOf unsafeDiscardStringContext;

  attempt = fallback: value: let tried = tryEval value; in if tried.success then tried.value else fallback;
  whole = value: deepSeq value value;
  text = value: let got = attempt null value; in if isString got then unsafeDiscardStringContext got else null;
  texts = value: attempt [ ] (whole (filter isString (map text (if isList value then value else [ ]))));

  isDerivation = value: text (value.type or null) == "derivation" && value ? drvPath && value ? outPath;
  isFunction = value: typeOf value == "lambda" || isAttrs value && value ? __functor;

  # The outputs that the package wants installed, as far as it has them, and else its default one.
  chosen = package:
    let
      has = texts (package.outputs or [ ]);
      wanted = filter (output: elem output has && package ? ${output}) (texts (package.meta.outputsToInstall or [ ]));
    in
    if wanted == [ ] then [ package ] else map (output: package.${output}) wanted;
  # A package that the set does not allow throws here.
  paths = package: map (output: builtins.seq output.drvPath (unsafeDiscardStringContext output.outPath)) (chosen package);
  inStore = value:
    let path = text value; in path != null && short path && match "${storeDir}/[0-9a-z]{32}-[^/]+" path != null;
  sound = package: attempt false (all (output: inStore output.drvPath && inStore output.outPath) (chosen package));

  # What is only told is cut: a report has bounds.
  mostTold = 50;
  short = text: stringLength text <= 300;
  told = value: let got = text value; in if got != null && short got then got else null;
  someTold = value: filter short (texts (if isList value then names.take mostTold value else [ ]));

  licences = one: value: someTold (map one (if isList value then value else [ value ]));
  licencesOf = package: licences (one: one.spdxId or one.shortName or one) (package.meta.license or [ ]);
  # In SPDX's terms: what has no identifier there is a reference.
  spdx = one: one.spdxId or (let got = text (one.shortName or one); in if got == null then null else "LicenseRef-${got}");
  metaOf = package: {
    version = told (package.version or null);
    mainProgram = told (package.meta.mainProgram or null);
    licences = licences spdx (package.meta.license or [ ]);
  };

  # nixpkgs marks what it refuses, and says there why.
  refusal = package:
    let flag = name: attempt false (package.meta.${name} or false == true); in
    if flag "unfree" then { reason = "unfree"; why = licencesOf package; }
    else if flag "broken" then { reason = "broken"; }
    else if flag "insecure" then { reason = "insecure"; why = someTold (package.meta.knownVulnerabilities or [ ]); }
    else if flag "unsupported" then { reason = "unsupported"; }
    else { reason = "throws"; };

  # Names only: what is below may not evaluate.
  someMembers = 20;
  described = value:
    if isFunction value then { kind = "function"; }
    else if !(isAttrs value) then { kind = typeOf value; }
    else let members = filter (name: match "[0-9A-Za-z]" (substring 0 1 name) != null && short name) (attrNames value); in
    { kind = "set"; size = length members; members = names.take someMembers members; };

  judge = path: package:
    let outputs = tryEval (whole (paths package)); in
    if path == null then { reason = "unknown"; }
    else if !(tryEval package).success then { reason = "throws"; }
    else if !(isAttrs package) || !(isDerivation package) then { reason = "not-a-derivation"; } // described package
    else if !outputs.success then refusal package
    else if !(sound package) then { reason = "not-a-derivation"; kind = "derivation whose path is not in the store"; }
    else { reason = null; outputs = outputs.value; meta = metaOf package; };
in
{
  inherit chosen paths;

  # For an item (see names.nix): its `reason`, null for a package that can be had, and what else the report has for that.
  of = { name, path, value }:
    { inherit name; attribute = if path == null then null else names.join path; }
    // (if path == null then names.meant name else { })
    // judge path value;
}
