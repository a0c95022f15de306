import pytest

from nixery.expressions.debian.builder.alternatives import alternatives

MULTIARCH = "x86_64-linux-gnu"


def test_a_literal_call_is_read() -> None:
    assert alternatives("update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5", MULTIARCH) == [
        "5\tawk\t/usr/bin/awk\t/usr/bin/mawk"
    ]


def test_slaves_follow_their_master() -> None:
    script = """
        update-alternatives --quiet --install "/usr/bin/vi" 'vi' /usr/bin/vim 30 \\
            --slave /usr/share/vi.1 vi.1 /usr/share/vim.1 \\
            --slave /x y "$unknown" || true
    """
    assert alternatives(script, MULTIARCH) == [
        "30\tvi\t/usr/bin/vi\t/usr/bin/vim\t/usr/share/vi.1\tvi.1\t/usr/share/vim.1"
    ]


def test_variables_and_loops_over_words_are_followed() -> None:
    script = """
    priority=1711
    basedir=/usr/lib/jvm/java
    tools="java keytool"
    for i in $tools; do
        update-alternatives --install /usr/bin/$i $i ${basedir}/bin/$i $priority
    done
    update-alternatives --install /usr/bin/x x $basedir/x 1; echo
    """
    assert alternatives(script, MULTIARCH) == [
        "1711\tjava\t/usr/bin/java\t/usr/lib/jvm/java/bin/java",
        "1711\tkeytool\t/usr/bin/keytool\t/usr/lib/jvm/java/bin/keytool",
        "1\tx\t/usr/bin/x\t/usr/lib/jvm/java/x",
    ]


def test_the_folder_of_the_architecture_is_known() -> None:
    script = "update-alternatives --install /usr/lib/$DEB_HOST_MULTIARCH/b b /usr/lib/${DPKG_MULTIARCH}/c 1"
    assert alternatives(script, MULTIARCH) == [f"1\tb\t/usr/lib/{MULTIARCH}/b\t/usr/lib/{MULTIARCH}/c"]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "update-alternatives --install /a b $(command) 1",
        "update-alternatives --install /a b /c `nproc`",
        "update-alternatives --install /a b /c high",
        "update-alternatives --install /a b",
        "update-alternatives --install /a 'b",
        "update-alternatives --remove b /c",
        "update-alternatives --install /usr/bin/* b /c 1",
    ],
)
def test_what_only_a_shell_could_tell_is_left_out(script: str) -> None:
    assert alternatives(script, MULTIARCH) == []
