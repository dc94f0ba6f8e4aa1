# SPDX-License-Identifier: BSD-3-Clause
#
# completion.zsh FOLDER: of each line of standard input what zsh completes at its end, "LINE|WORD" each. An interactive
# zsh on a terminal of its own does it, with FOLDER/functions before all others; what it would add to a line it writes to
# FOLDER/hits.
zmodload zsh/zpty || exit 1
folder=$1
rm -f $folder/hits $folder/ended
zpty -b shell "HOME=$folder TERM=dumb zsh -f -i"
tell() { zpty -w shell "$1" }
tell "fpath=($folder/functions \$fpath); autoload -Uz compinit; compinit -D -u"
tell "compadd() { local -a hits; [[ \${@[(I)-[a-zA-Z]#[OAD]*]} -gt 0 ]] || { builtin compadd -O hits \"\$@\"; print -rl -- \$hits >>$folder/hits; }; builtin compadd \"\$@\" }"
tell "whole() { zle list-choices; : >$folder/ended }; zle -N whole; bindkey '^X' whole; setopt extendedglob"
tell ": >$folder/ended"
# What the shell writes has to be read, or it waits. However long it takes: the test as a whole has its time.
until_ended() {
	until [[ -e $folder/ended ]]; do
		zpty -r -t shell ignored || sleep 0.02
	done
	rm -f $folder/ended
}
until_ended
while IFS= read -r line; do
	# ^U: the line before is gone.
	zpty -w -n shell $'\C-u'"$line"$'\C-x'
	until_ended
	[[ ! -e $folder/hits ]] || sed "s,^,$line|," $folder/hits
	rm -f $folder/hits
done
zpty -d shell
