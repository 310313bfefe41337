# bash completion for fairctl

_fairctl_tasks() {
    # A master that does not answer must not hang the shell for long.
    timeout 2 fairctl tasks 2>/dev/null | awk 'NR > 1 && NF > 4 { print $1 }'
}

_fairctl_frameworks() {
    timeout 2 fairctl frameworks 2>/dev/null | awk 'NR > 1 { print $NF }'
}

_fairctl_hosts() {
    timeout 2 fairctl agents 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_fairctl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command="" word
    local commands="status agents frameworks tasks run kill logs roles weights quota offers why reserve unreserve version"
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            status|agents|frameworks|tasks|run|kill|logs|roles|weights|quota|offers|why|reserve|unreserve|version) command=$word; break ;;
        esac
    done
    case $previous in
        -o|--output) COMPREPLY=($(compgen -W "table json" -- "$current")); return ;;
        -m|--master) COMPREPLY=($(compgen -A hostname -- "$current")); return ;;
        --config) COMPREPLY=($(compgen -f -- "$current")); return ;;
        --user) COMPREPLY=($(compgen -u -- "$current")); return ;;
    esac
    local general="--master --output --config --help"
    case $command in
        "") COMPREPLY=($(compgen -W "$commands $general" -- "$current")) ;;
        run) COMPREPLY=($(compgen -W "--cpus --mem --instances --name --role --user --env --timeout -- $general" -- "$current")
                        $(compgen -c -- "$current")) ;;
        kill) COMPREPLY=($(compgen -W "$(_fairctl_tasks) --framework $general" -- "$current")) ;;
        logs) COMPREPLY=($(compgen -W "$(_fairctl_tasks) --follow --stderr --framework $general" -- "$current")) ;;
        weights) COMPREPLY=($(compgen -W "set $general" -- "$current")) ;;
        quota) COMPREPLY=($(compgen -W "set remove --guarantee --limit --force $general" -- "$current")) ;;
        agents) COMPREPLY=($(compgen -W "gone $general" -- "$current")) ;;
        reserve|unreserve) COMPREPLY=($(compgen -W "$(_fairctl_hosts) --role --label $general" -- "$current")) ;;
        why) COMPREPLY=($(compgen -W "$(_fairctl_frameworks) $general" -- "$current")) ;;
        frameworks|tasks) COMPREPLY=($(compgen -W "--all $general" -- "$current")) ;;
        *) COMPREPLY=($(compgen -W "$general" -- "$current")) ;;
    esac
}

complete -F _fairctl fairctl
