// Completion: a short script for each shell, which asks `pkg __complete <words…>`
// for candidates. So what can be completed is written down once, and is as new
// as the program. A candidate is a line: its text, a tab, what it means. No
// candidate means file names.

export type Shell = 'bash' | 'zsh' | 'fish'

/** The hidden command that the scripts call; the last word is the one under the cursor. */
export const COMPLETE = '__complete'

export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# pkg completion for bash: source <(pkg completion bash)
_pkg() {
  local line words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  words=("\${words[@]//\\\\/}")
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    printf -v line %q "$line"
    COMPREPLY+=("$line")
  done < <(pkg ${COMPLETE} "\${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _pkg pkg
`,
  zsh: `#compdef pkg
# pkg completion for zsh: source <(pkg completion zsh), or as _pkg in fpath
_pkg() {
  local line
  local -a found
  for line in "\${(@f)$(pkg ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then
    _describe 'pkg' found
  else
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
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c pkg -f -a '(__pkg_complete)'
`,
}
