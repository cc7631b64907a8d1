# bash completion for glyphward
_glyphward() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= part= options= word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      lexicon) if [ "$command" = bench ]; then part=lexicon; else command=${command:-lexicon}; fi ;;
      generate|check|audit|status|localize|models|policy|bench)
        [ "$command:$word" != policy:check ] || part=check
        [ -n "$command" ] || command=$word ;;
      list|show|verify|export) [ "$command" != audit ] || part=$word ;;
      inspect) [ "$command" != models ] || part=$word ;;
      test|explain) [ "$command" != policy ] || part=$word ;;
      diff) case $command in policy | lexicon) part=$word ;; esac ;;
      lookup|import|merge|lint) [ "$command" != lexicon ] || part=$word ;;
      bundled) [ "$command" != bench ] || part=$word ;;
    esac
  done
  case $previous in
    -o|--output|--jsonl|--eval|--list|--wrong|--dictionary|--policy|--cases|--junit|--replay|--pairs|--contact-sheet|--socket|--admin-socket) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --model|--state-dir|--data|--out) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --second-reader) COMPREPLY=($(compgen -c -- "$current")); return ;;
    --set)
      COMPREPLY=($(compgen -W 'one-line two-lines free localization guarded clean modes' -- "$current"))
      return ;;
    --dtype) COMPREPLY=($(compgen -W 'float32 float16 bfloat16' -- "$current")); return ;;
    --device) COMPREPLY=($(compgen -W 'cpu cuda cuda:1' -- "$current")); return ;;
    --syntax)
      COMPREPLY=($(compgen -W 'plain a1111 comfyui json' -- "$current"))
      return ;;
    --format)
      local formats='jsonl csv'
      [ "$command" != lexicon ] || formats='text csv json'
      COMPREPLY=($(compgen -W "$formats" -- "$current"))
      return ;;
    --category)
      COMPREPLY=($(compgen -W 'profanity sexual insult racial religious lgbtq ableist hate violence self_harm threat drugs' -- "$current"))
      return ;;
    --severity) COMPREPLY=($(compgen -W '0 1 2 3 4 5 6 7' -- "$current")); return ;;
    --route)
      COMPREPLY=($(compgen -W 'plain localized more_layers prompt_swap redacted none' -- "$current"))
      return ;;
    --action) COMPREPLY=($(compgen -W 'allow substitute review block' -- "$current")); return ;;
    --outcome) COMPREPLY=($(compgen -W 'answered refused cancelled failed' -- "$current")); return ;;
    --scheduler)
      COMPREPLY=($(compgen -W 'DDIMScheduler PNDMScheduler EulerDiscreteScheduler DPMSolverMultistepScheduler DDPMScheduler FlowMatchEulerDiscreteScheduler' -- "$current"))
      return ;;
  esac
  case $command:$part in
    generate:*)
      options='--output -n --seed --num-inference-steps --guidance-scale --height --width --negative-prompt --scheduler
               --model --socket --local --unguarded --device --dtype --vae-tiling --offload-text-encoders --policy --tenant --state-dir --json --help' ;;
    check:*) options='--jsonl --policy --tenant --json --help' ;;
    policy:) options='check test explain diff --help' ;;
    policy:explain) options='--policy --tenant --json --help' ;;
    policy:*)
      options='--json --help'
      [ "$part" != test ] || options="--cases --junit $options"
      [ "$part" != diff ] || options="--replay $options"
      [[ $current == -* ]] || { COMPREPLY=($(compgen -f -- "$current")); return; } ;;
    status:*) options='--socket --admin-socket --json --help' ;;
    localize:*)
      options='--check --pairs --pairs-count --seed --layers-max --contact-sheet --languages --device --dtype --dry-run
               --json --help'
      [[ $current == -* ]] || { COMPREPLY=($(compgen -d -- "$current")); return; } ;;
    models:) options='inspect --help' ;;
    models:inspect)
      options='--json --help'
      [[ $current == -* ]] || { COMPREPLY=($(compgen -d -- "$current")); return; } ;;
    audit:) options='list show verify export --help' ;;
    audit:list) options='--state-dir --action --outcome --route --contains --open --before --limit --json --help' ;;
    audit:show | audit:verify) options='--state-dir --json --help' ;;
    audit:export) options='--state-dir --format --output --json --help' ;;
    lexicon:) options='lookup import merge diff lint --help' ;;
    lexicon:lookup) options='--explain --prompt --syntax --list --json --help' ;;
    lexicon:lint) options='--dictionary --list --output --json --help' ;;
    lexicon:import)
      options='--format --category --severity --language --scale --output --json --help'
      [[ $current == -* ]] || { COMPREPLY=($(compgen -f -- "$current")); return; } ;;
    lexicon:merge | lexicon:diff)
      options='--json --help'
      [ "$part" != merge ] || options="--output $options"
      [[ $current == -* ]] || { COMPREPLY=($(compgen -f -- "$current")); return; } ;;
    bench:bundled)
      options='--set --limit --threads --second-reader --out --data --json --help'
      [[ $current == -* ]] || { COMPREPLY=($(compgen -d -- "$current")); return; } ;;
    bench:lexicon) options='--eval --list --wrong --json --help' ;;
    bench:*) options='bundled lexicon --help' ;;
    *) options='generate check audit status localize models policy lexicon bench --help --version' ;;
  esac
  COMPREPLY=($(compgen -W "$options" -- "$current"))
}
complete -F _glyphward glyphward
