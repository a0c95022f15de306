from nixery.debian.packages import newest, read_packages
from nixery.debian.resolve import Dependencies, Resolver
from tests.debian.debs import lines, paragraph


def resolve(name: str, *paragraphs: str) -> Dependencies:
    packages = newest(read_packages(lines(*paragraphs), "http://mirror.example"))
    return Resolver(packages, "amd64").dependencies(packages[name])


def names(name: str, *paragraphs: str) -> set[str]:
    return set(resolve(name, *paragraphs).names)


def test_the_first_alternative_is_taken() -> None:
    assert names("aa", paragraph("aa", depends="bb | cc"), paragraph("bb"), paragraph("cc")) == {"bb"}


def test_an_alternative_that_is_needed_anyhow_is_taken() -> None:
    assert names("aa", paragraph("aa", depends="bb | cc, cc"), paragraph("bb"), paragraph("cc")) == {"cc"}


def test_an_alternative_of_a_version_that_is_not_there_is_passed_over() -> None:
    assert names("aa", paragraph("aa", depends="bb (>= 2) | cc"), paragraph("bb"), paragraph("cc")) == {"cc"}


def test_a_virtual_package_stands_for_its_provider() -> None:
    assert names("aa", paragraph("aa", depends="vv"), paragraph("pp", provides="vv")) == {"pp"}


def test_a_real_package_goes_before_providers_of_its_name() -> None:
    assert names("aa", paragraph("aa", depends="vv"), paragraph("vv"), paragraph("pp", provides="vv")) == {"vv"}


def test_a_versioned_clause_needs_a_provider_with_a_version() -> None:
    clause, without = paragraph("aa", depends="vv (>= 2)"), paragraph("bb", provides="vv")
    assert names("aa", clause, without, paragraph("pp", provides="vv (= 2)")) == {"pp"}


def test_the_provider_of_higher_priority_is_taken_whatever_the_order() -> None:
    lists = [
        paragraph("aa", depends="vv"),
        paragraph("qq", provides="vv"),
        paragraph("zz", provides="vv", priority="important"),
    ]
    assert names("aa", *lists) == names("aa", *reversed(lists)) == {"zz"}


def test_the_liked_provider_is_taken() -> None:
    lists = [paragraph("aa", depends="awk"), paragraph("gawk", provides="awk"), paragraph("mawk", provides="awk")]
    assert names("aa", *lists) == {"mawk"}


def test_what_maintainer_scripts_need_is_left_out() -> None:
    lists = [paragraph("aa", depends="debconf | debconf-2.0, adduser, bb"), paragraph("debconf"), paragraph("adduser")]
    assert names("aa", *lists, paragraph("bb")) == {"bb"}


def test_dpkg_dev_keeps_dpkg() -> None:
    assert names("dpkg-dev", paragraph("dpkg-dev", depends="dpkg"), paragraph("dpkg")) == {"dpkg"}


def test_a_compiler_gets_the_headers_that_it_only_recommends() -> None:
    assert names("gcc", paragraph("gcc", recommends="x"), paragraph("x"), paragraph("libc6-dev")) == {"libc6-dev"}


def test_unmet_clauses_are_counted() -> None:
    found = resolve("aa", paragraph("aa", depends="gone, bb | gone, bb (>> 3)"), paragraph("bb"))
    assert found == Dependencies(frozenset({"bb"}), unmet=2)


def test_a_package_that_provides_what_it_needs_needs_nobody() -> None:
    assert names("aa", paragraph("aa", depends="vv | bb", provides="vv"), paragraph("bb")) == set()


def test_a_dependency_of_another_architecture_is_unmet() -> None:
    lists = [paragraph("aa", depends="bb:i386, cc:any, dd:amd64"), paragraph("bb"), paragraph("cc"), paragraph("dd")]
    assert resolve("aa", *lists) == Dependencies(frozenset({"cc", "dd"}), unmet=1)


def test_virtual_names_mean_the_best_provider() -> None:
    packages = newest(
        read_packages(lines(paragraph("ppp", provides="vv"), paragraph("pp", provides="vv, ppp")), "http://m")
    )
    assert dict(Resolver(packages, "amd64").virtual_names()) == {"vv": "pp"}
