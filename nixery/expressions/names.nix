# What names stand for in a package set, as docs/architecture.md says under Names. A path is a list of attributes.
set:
let
  inherit (builtins) attrNames concatLists concatStringsSep elemAt filter foldl' genList groupBy head isAttrs isString
    length map replaceStrings split stringLength substring tail tryEval;

  characters = text: genList (at: substring at 1 text) (stringLength text);
  lower = replaceStrings (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (characters "abcdefghijklmnopqrstuvwxyz");
  join = concatStringsSep ".";
  take = count: list: genList (elemAt list) (if count < length list then count else length list);
  drop = count: list: if count == 0 then list else drop (count - 1) (tail list);
  holds = condition: let tried = tryEval condition; in tried.success && tried.value;
  isSet = value: holds (isAttrs value);
  isDerivation = value: holds (value.type or null == "derivation");

  # The attributes that a word names: as it is, with `_` before a digit, in another case, with + for `plus`. `folded`:
  # the set's names by their lower case, made once for a set, as it may have a hundred thousand.
  spelled = from: folded: word:
    let
      plus = replaceStrings [ "plus" ] [ "+" ] word;
      exact = filter (name: from ? ${name}) [ word "_${word}" ];
      found = if exact != [ ] then exact else concatLists (map (name: folded.${name} or [ ]) [ (lower word) "_${lower word}" ]);
    in
    if found != [ ] then found else if plus != word then spelled from folded plus else [ ];

  # The path of so many words, or null: the longest leading part that is an attribute comes first.
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
  pathOf = words: searchSet words (length words);

  # More words than this only make work: nixpkgs has itself as an attribute, many times over.
  mostWords = 8;
  wordsOf = name: filter isString (split "\\." name);
  at = foldl' (from: name: from.${name}) set;

  # Where an unknown name's first words lead: the largest part that is a set of packages, and the words below it.
  known = words: count:
    let path = pathOf (take count words); value = at path; in
    if count == 0 then { path = [ ]; word = join words; }
    else if path != null && isSet value && !isDerivation value then { inherit path; word = join (drop count words); }
    else known words (count - 1);

  # Names that a word may have been meant for: those that begin or end as it does and are about as long.
  mostNear = 2000;
  near = from: word:
    let
      text = lower word;
      size = stringLength text;
      end = text: substring (stringLength text - 3) 3 text;
      like = name:
        let other = lower name; length = stringLength other; in
        length >= size - 3 && length <= size + 3
        && (substring 0 2 other == substring 0 2 text || (length >= 3 && size >= 3 && end other == end text));
    in
    take mostNear (filter like (attrNames from));
in
{
  inherit join take;

  # What a name stands for: its path, or null, and the value there.
  item = name:
    let
      words = wordsOf name;
      path = if length words > mostWords then null else pathOf words;
    in
    { inherit name path; value = at path; };

  # For an unknown name: the set that its first words are (`within`, "" for the whole), the `word` that is not in there,
  # and the names that this is `near`. Which of them are nearest is decided by who reads the report.
  meant = name:
    let
      words = wordsOf name;
      place = known words (if length words > mostWords then 0 else length words - 1);
    in
    { within = join place.path; inherit (place) word; near = near (at place.path) place.word; };
}
