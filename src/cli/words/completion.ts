// Completion: a short script for each shell, which asks `pkg __complete <words…>`
// for candidates. So what can be completed is written down once, and is as new
// as the program. A candidate is a line: its text, a tab, what it means. No
// line means file names; a line with nothing before the tab: no file names either.

export type Shell = 'bash' | 'zsh' | 'fish'

/** The hidden command that the scripts call; the last word is the one under the cursor. */
export const COMPLETE = '__complete'

export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# pkg completion for bash: source <(pkg completion bash)
_pkg() {
  local line word from cur words=() at
  # bash takes name@version for three words.
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]//\\\\/}
    if ((\${#words[@]})) && [[ \${COMP_WORDS[at]} == @* || \${words[-1]} == ?*@ ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  cur=\${words[-1]}
  from=
  [[ $COMP_WORDBREAKS == *@* ]] && from=\${cur%"\${cur##*@}"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == $'\\t'* ]]; then
      compopt +o default +o bashdefault 2>/dev/null
      continue
    fi
    line=\${line%%$'\\t'*}
    printf -v line %q "\${line#"$from"}"
    COMPREPLY+=("$line")
  done < <(pkg ${COMPLETE} "\${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _pkg pkg
`,
  zsh: `#compdef pkg
# pkg completion for zsh: source <(pkg completion zsh), or as _pkg in fpath
_pkg() {
  local line files=1
  local -a found
  for line in "\${(@f)$(pkg ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == $'\\t'* ]]; then
      files=
    elif [[ -n $line ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  if (( \${#found} )); then
    _describe 'pkg' found
  elif [[ -n $files ]]; then
    _files
  fi
}
if [[ \${funcstack[1]} == _pkg ]]; then
  _pkg "$@"
else
  compdef _pkg pkg
fi
`,
  fish: `# pkg completion for fish: pkg completion fish | source
function __pkg_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found (pkg ${COMPLETE} $words[2..-1] "$current" 2>/dev/null)
  if string match -q (printf '\\t*') -- "$found[1]"
    return
  else if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c pkg -f -a '(__pkg_complete)'
`,
}
