# What an image is made of: for each package that was asked for, the derivations to build or the reason why not.
#
# Evaluates to the list of derivation outputs, empty when any package cannot be had, and says on the way, in one trace
# line, what became of each: `marker` and the JSON that nixery.nix.report reads. Works on any set whose attributes are
# derivations; uses builtins only, so that it evaluates on Nix 2.8 and newer whatever the set is.
{ source # the package set: a file or folder to import
, packages # JSON list of names, as docs/architecture.md says under Names
, system
, marker ? "nixery:" # what the report begins with: a word that no builder can know, as theirs go to the same log
, arguments ? "{}" # JSON object of more arguments for the set
, force ? "" # evaluate this one package with its errors uncaught, to learn what it throws
}:
let
  inherit (builtins) attrNames concatLists concatStringsSep elem filter fromJSON genList groupBy head
    isAttrs isList isString length map match replaceStrings split stringLength substring
    tail toJSON trace tryEval unsafeDiscardStringContext;

  offered = { inherit system; config = { }; overlays = [ ]; } // fromJSON arguments;
  set = import ./call.nix (import source) offered;

  characters = text: genList (at: substring at 1 text) (stringLength text);
  lower = replaceStrings (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (characters "abcdefghijklmnopqrstuvwxyz");
  join = concatStringsSep ".";

  attempt = fallback: value: let tried = tryEval value; in if tried.success then tried.value else fallback;
  isSet = value: attempt false (isAttrs value);

  # The attribute that a word names: as it is, with `_` before a digit, in another case, with + for `plus`. `folded`:
  # the set's names by their lower case, made once for a set, as it may have a hundred thousand.
  spelled = from: folded: word:
    let
      plus = replaceStrings [ "plus" ] [ "+" ] word;
      exact = filter (name: from ? ${name}) [ word "_${word}" ];
      found = if exact != [ ] then exact else concatLists (map (name: folded.${name} or [ ]) [ (lower word) "_${lower word}" ]);
    in
    if found != [ ] then found else if plus != word then spelled from folded plus else [ ];

  # The path of attributes that a name stands for, or null: the longest leading part that is an attribute comes first.
  searchIn = from:
    let
      folded = groupBy lower (attrNames from);
      search = words: count:
        let
          found = spelled from folded (join (take count words));
          rest = drop count words;
          below = searchIn from.${head found} rest (length rest);
        in
        if count == 0 then null
        else if found == [ ] then search words (count - 1)
        else if rest == [ ] then [ (head found) ]
        else if isSet from.${head found} && below != null then [ (head found) ] ++ below
        else search words (count - 1);
    in
    search;
  searchSet = searchIn set;
  take = count: list: genList (builtins.elemAt list) count;
  drop = count: list: if count == 0 then list else drop (count - 1) (tail list);
  # More words than this only make work: nixpkgs has itself as an attribute, many times over.
  mostWords = 8;
  locate = name:
    let words = filter isString (split "\\." name);
    in if length words > mostWords then null else searchSet words (length words);
  at = builtins.foldl' (from: name: from.${name}) set;

  outputsOf = package:
    let wanted = attempt [ ] (package.meta.outputsToInstall or [ ]);
    in map (output: package.${output}) (filter (output: isString output && package ? ${output}) (if isList wanted then wanted else [ ]));
  chosen = package: let outputs = outputsOf package; in if outputs == [ ] then [ package ] else outputs;
  paths = package: map (output: unsafeDiscardStringContext output.outPath) (chosen package);

  # Names that a name may have been meant for: those that begin or end as it does and are about as long. Which of them
  # are nearest is decided by who reads the report.
  near = name:
    let
      word = lower name;
      size = stringLength word;
      ends = text: substring (stringLength text - 3) 3 text;
      like = other:
        let text = lower other; length = stringLength text; in
        length >= size - 3 && length <= size + 3
        && (substring 0 2 text == substring 0 2 word || (length >= 3 && size >= 3 && ends text == ends word));
      found = filter like (attrNames set);
    in
    take (if length found > 2000 then 2000 else length found) found;

  # Meta is data that the set's authors wrote: take it where it is what it should be, never fail on it.
  text = value: let got = attempt null value; in if isString got then unsafeDiscardStringContext got else null;
  licences = value: filter isString (map (one: text (one.spdxId or one.shortName or one)) (if isList value then value else [ value ]));
  metaOf = package: {
    version = text (package.version or null);
    mainProgram = text (package.meta.mainProgram or null);
    licences = attempt [ ] (let all = licences (package.meta.license or [ ]); in builtins.deepSeq all all);
  };

  refusal = package:
    let flag = name: attempt false (package.meta.${name} or false == true); in
    if flag "unfree" then "unfree"
    else if flag "broken" then "broken"
    else if flag "insecure" then "insecure"
    else if flag "unsupported" then "unsupported"
    else "throws";

  judge = name:
    let
      attribute = locate name;
      package = at attribute;
      outputs = tryEval (let all = paths package; in builtins.deepSeq all all);
      no = reason: { inherit name reason; attribute = if attribute == null then null else join attribute; };
    in
    if attribute == null then no "unknown" // { near = near name; }
    else if !(tryEval package).success then no "throws"
    else if !(isAttrs package) then no "not-a-derivation"
    else if attempt null (package.type or null) != "derivation" then no "not-a-derivation"
    else if !outputs.success then no (refusal package)
    else { inherit name; reason = null; attribute = join attribute; outputs = outputs.value; meta = metaOf package; };

  names = fromJSON packages;
  verdicts = map judge names;
  report = toJSON { version = 1; packages = verdicts; };
  complete = filter (verdict: verdict.reason != null) verdicts == [ ];
in
if force != "" then [ (at (locate force)) ]
else trace "${marker}${report}"
  (if complete then concatLists (map (name: chosen (at (locate name))) names) else [ ])
