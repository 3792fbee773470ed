#!/bin/sh
# Find the programs that tests start and that no Python package contains: tests/programs.sh [NAME…]
#
# As root on Debian, install the missing ones with one apt-get call, and start none of their services. Elsewhere name
# their packages. This fails only if a program in REQUIRED is missing: tests that need the others are skipped and say why.
set -eu

REQUIRED="browser nginx node"
ALL="$REQUIRED npm rabbitmq promtool compose bogofilter spamassassin"
PATH="$PATH:/usr/sbin"

is_there() {
	case $1 in
	browser) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
	nginx) command -v nginx && ls /usr/lib/nginx/modules/ngx_http_js_module.so \
		/usr/share/nginx/modules/ngx_http_js_module.so /etc/nginx/modules/ngx_http_js_module.so 2> /dev/null | grep . ;;
	node) command -v node || command -v nodejs ;;
	rabbitmq) command -v rabbitmq-server && command -v epmd ;;
	compose) docker compose version || docker-compose version ;;
	spamassassin) command -v sa-learn && command -v spamassassin ;;
	*) command -v "$1" ;;
	esac > /dev/null 2>&1
}

packages_of() {
	case $1 in
	browser) echo chromium ;;
	nginx) echo nginx libnginx-mod-http-js ;;
	node) echo nodejs ;;
	rabbitmq) echo rabbitmq-server ;;
	promtool) echo prometheus ;;
	compose) echo docker-compose ;;
	*) echo "$1" ;;
	esac
}

missing_of() {
	for name in "$@"; do is_there "$name" || packages_of "$name"; done | tr '\n' ' '
}

install() {
	apt-get install -qq -y --no-install-recommends "$@"
}

# Debian starts a service as soon as it is installed. This file says no, as images of containers do; RUNLEVEL says it to
# older systems.
without_services() {
	refusal=/usr/sbin/policy-rc.d
	if [ ! -e $refusal ]; then
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT INT TERM
		printf '#!/bin/sh\nexit 101\n' > $refusal
		chmod +x $refusal
	fi
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
	"$@"
}

# One package that this system lacks keeps apt-get from installing the others, so they are then tried one by one.
install_all() {
	install "$@" && return
	apt-get update -qq || true
	install "$@" && return
	for name in $wanted; do
		# shellcheck disable=SC2046 # a name may stand for two packages
		is_there "$name" || install $(packages_of "$name") || true
	done
}

wanted=${*:-$ALL}
# shellcheck disable=SC2086 # lists of names, here and below
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
	echo "Installing for the tests: $missing"
	log=$(mktemp)
	# shellcheck disable=SC2086
	without_services install_all $missing > "$log" 2>&1 < /dev/null
fi

status=0
for name in $wanted; do
	is_there "$name" && continue
	case " $REQUIRED " in
	*" $name "*)
		[ -z "${log:-}" ] || cat "$log" >&2
		echo "The tests need $name: install it (on Debian: $(packages_of "$name")), then run make again." >&2
		status=1
		;;
	*) echo "Without $name its tests are skipped (on Debian: $(packages_of "$name"))." ;;
	esac
done
[ -z "${log:-}" ] || rm -f "$log"
exit $status
