"""How wide a text is when a browser draws it at 11 px, for pictures whose size is settled before they are drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def text_width(text: str) -> float:
    """How wide *text* is on one line at 11 px, in pixels: in DejaVu Sans, which is about as wide as Verdana.

    Measured for Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters, common signs and currencies,
    without the kerning of pairs. Chinese, Japanese and Korean characters are square, emoji as wide as in the common
    emoji fonts; the rest is a guess. So whoever draws the text sets ``textLength`` as well.
    """
    return sum(_advances(text)) / 100


def _advances(text: str) -> Iterator[int]:
    for index, character in enumerate(text):
        if _takes_no_room(character) or _ends_a_syllable(character, text[:index]):
            continue
        if text[index + 1 : index + 2] == _EMOJI_FOLLOWS or _is_emoji(character):
            yield 0 if _changes_a_picture(character, text[:index]) else _EMOJI
        elif character in _JOINED and _continues(text, index + 1):
            yield _JOINED[character]
        else:
            yield _advance(character)


def _advance(character: str) -> int:
    known = _ADVANCES.get(character)
    if known is not None:
        return known
    if character in _HALF_A_FLAG:
        return _EMOJI // 2
    if (east_asian := unicodedata.east_asian_width(character)) in _EAST_ASIAN:
        return _EAST_ASIAN[east_asian]
    base, *marks = unicodedata.decomposition(character).split() or [""]
    if marks and not base.startswith("<"):
        return _advance(chr(int(base, 16)))  # "é" is as wide as "e"
    code = ord(character)
    return next((width for first, last, width in _SPANS if first <= code <= last), _OTHER)


def _takes_no_room(character: str) -> bool:
    """Marks that stand on another character, and characters without a picture."""
    return unicodedata.category(character) in ("Mn", "Me", "Cf")


def _ends_a_syllable(character: str, before: str) -> bool:
    """Whether a Korean vowel or final consonant is drawn inside the square of the consonant before it."""
    return "\u1160" <= character <= "\u11ff" and "\u1100" <= before[-1:] <= "\u11ff"


def _is_emoji(character: str) -> bool:
    if "\U0001f000" <= character <= "\U0001faff":
        return character not in _HALF_A_FLAG
    return (
        _FIRST_PICTURE <= character <= "\u2bff" and unicodedata.east_asian_width(character) == "W"
    )


def _changes_a_picture(emoji: str, before: str) -> bool:
    """Whether *emoji* is a skin tone or joined to the emoji before it: together they are one picture."""
    is_part = emoji in _SKIN_TONES or before.endswith(_ZERO_WIDTH_JOINER)
    return is_part and before.removesuffix(_ZERO_WIDTH_JOINER)[-1:] >= _FIRST_PICTURE


def _continues(text: str, start: int) -> bool:
    """Whether the Arabic letter before *start* is joined to what follows: a letter or U+200D, but not U+200C."""
    following = next((c for c in text[start:] if unicodedata.category(c) != "Mn"), "")
    if following == _ZERO_WIDTH_JOINER:
        return True
    return "\u0620" <= following <= "\u06d5" and following != "\u0621" and following.isalpha()


def _widths(runs: dict[int, str]) -> dict[str, int]:
    """Runs of widths by the first character of each; 0 stands for a character that the font does not have."""
    return {
        chr(first + index): int(width)
        for first, widths in runs.items()
        for index, width in enumerate(widths.split())
        if width != "0"
    }


_EMOJI = 1375  # Noto Color Emoji 1370, Apple Color Emoji 1375, Segoe UI Emoji 1500
_EAST_ASIAN = {"W": 1100, "F": 1100, "H": 550}  # by East_Asian_Width: a square, or half of one
_OTHER = 750

_FIRST_PICTURE = "\u2300"
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_FOLLOWS = "\ufe0f"  # the variation selector after a sign that is to be drawn as an emoji
_SKIN_TONES = tuple(map(chr, range(0x1F3FB, 0x1F400)))
_HALF_A_FLAG = tuple(map(chr, range(0x1F1E6, 0x1F200)))

# All widths are advance widths at 11 px in hundredths of a pixel: those of the table `hmtx` of DejaVuSans.ttf 2.37,
# which has 2048 units to the em, times 1100/2048. How wide an Arabic letter is depends on what it is joined to; that
# was measured in Chromium with canvas `measureText`, with and without U+0640 on either side. A test compares texts in
# these scripts with what Chromium draws.

# ASCII, Latin-1, Latin Extended-A, a few more Latin letters, Greek and Cyrillic, Armenian, Hebrew, Arabic (the mean of
# the isolated and the final form), Georgian, a capital, punctuation, currencies, a few letter-like signs.
_RUNS = {
    0x0020: """
        350 441 506 922 700 1045 858 302 429 429 550 922 350 397 350 371 700 700 700 700 700 700 700 700
        700 700 371 371 922 922 922 584 1100 752 755 768 847 695 633 852 827 324 324 721 613 949 823 866
        663 866 764 698 672 805 752 1088 754 672 754 429 371 429 922 550 550 674 698 605 698 677 387 698
        697 306 306 637 306 1072 697 673 698 698 452 573 431 697 651 900 651 651 577 700 371 700 922
    """,
    0x00A0: """
        350 441 700 700 700 700 371 550 550 1100 518 673 922 0 1100 550 550 922 441 441 550 700 700 350
        550 441 518 673 1066 1066 1066 584 752 752 752 752 752 752 1072 768 695 695 695 695 324 324 324
        324 852 823 866 866 866 866 866 922 866 805 805 805 805 672 665 693 674 674 674 674 674 674 1080
        605 677 677 677 677 306 306 306 306 673 697 673 673 673 673 673 922 673 697 697 697 697 651 698
        651 752 674 752 674 752 674 768 605 768 605 768 605 768 605 847 698 852 698 695 677 695 677 695
        677 695 677 695 677 852 698 852 698 852 698 852 698 827 697 1008 764 324 306 324 306 324 306 324
        306 324 306 649 611 324 306 721 637 637 613 306 613 306 613 412 613 376 618 313 823 697 823 697
        823 697 895 823 697 866 673 866 673 866 673 1177 1125 764 452 764 452 764 452 698 573 698 573
        698 573 698 573 672 431 672 431 672 431 805 697 805 697 805 697 805 697 805 697 805 697 1088 900
        672 651 672 754 577 754 577 754 577 387
    """,
    0x018F: "866",
    0x0192: "387",
    0x01A0: "1004",
    0x01AF: "944",
    0x0259: "677",
    0x0370: """
        720 625 948 712 306 306 823 715 0 0 550 604 605 604 371 324 0 0 0 0 550 550 762 350 821 958 449
        0 894 0 907 908 372 752 755 613 752 695 754 827 866 324 721 752 949 823 695 866 827 663 0 695
        672 672 866 754 866 841 324 672 725 595 697 372 636 725 702 651 673 595 598 697 673 372 648 651
        700 614 613 673 662 698 646 697 662 636 726 635 726 921 372 636 673 636 921 721 676 681 769 927
        769 726 921 730 866 673 713 646 633 504 726 726 952 690 1027 921 834 725 871 676 755 668 844 688
        769 673 672 590 730 698 605 306 866 677 677 665 698 768 949 716 698 773 768 773 695 695 865 671
        768 698 324 324 324 1203 1149 865 781 823 670 827 752 755 755 671 859 695 1185 705 823 823 781
        827 949 827 866 827 663 768 672 670 947 754 854 754 1176 1203 916 971 755 768 1188 764 674 678
        648 578 761 677 991 585 715 715 664 703 830 719 673 719 698 605 641 651 940 651 749 650 1007
        1036 777 869 648 604 926 662 677 677 688 578 604 573 306 306 306 993 988 717 664 715 651 719
        1027 921 848 739 1037 824 967 862 1276 1102 866 673 1130 907 700 595 942 964 866 673 859 732 859
        732 1091 995 1048 834 1298 1131 1027 921 768 605 553 0 0 0 0 0 0 0 850 744 755 648 663 698 671
        578 742 649 686 583 1185 991 705 585 781 664 781 664 781 664 942 915 827 727 1116 965 1189 1007
        966 762 768 605 672 641 672 651 672 651 754 651 1027 887 754 650 754 650 754 697 1035 801 1035
        801 324 1185 991 721 664 853 737 827 727 854 749 754 650 976 852 306 752 674 752 674 1072 1080
        695 677 866 677 866 677 1185 991 705 585 733 635 823 715 823 715 866 673 866 673 866 673 768 604
        670 651 670 651 670 651 754 650 671 578 971 869 742 649 754 651 754 651 755 648 1106 987 1072
        956 747 647 1179 1053 1224 1064 852 726 850 782 676 595 827 703 1286 1093 983 951 1135 1084 866
        698 1088 900 781 664 1189 996 1189 1003 872 751
    """,
    0x0531: """
        843 805 829 829 805 849 704 805 945 829 760 587 1014 950 805 787 842 829 844 871 800 802 833 805
        784 880 845 871 805 829 776 763 818 591 892 833 866 869 0 0 338 350 258 397 262 446 550 0 1072
        697 723 729 697 698 566 697 812 723 697 299 1078 685 697 697 669 698 692 697 299 697 548 697 445
        1072 616 713 697 697 1071 697 697 478 1071 700 670 886 893 0 371
    """,
    0x05BE: """
        397 0 324 0 0 324 0 0 486 0 0 0 0 0 0 0 0 0 735 636 453 600 719 300 381 719 713 246 591 582 625
        730 747 300 440 714 689 704 687 594 653 780 621 779 723 0 0 0 0 0 518 465 364 457 709
    """,
    0x060C: """
        355 0 0 0 0 0 0 0 0 0 0 0 0 0 0 350 0 0 0 584 0 517 320 320 550 320 889 320 1058 583 1058 1058
        710 710 710 534 534 569 569 1372 1372 1339 1339 1030 1030 620 620 0 0 0 0 0 322 1140 885 917 816
        706 822 583 550 889 889 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 591 591 591 591 591 591 591
        591 591 591 591 357 350 599 1058 885 0 0 0 0 321 0 0 0 0 1058 1058 1058 1058 1058 1058 1058 1058
        710 710 710 710 710 710 710 534 534 534 534 534 534 534 534 534 569 569 578 595 671 595 569 569
        569 1372 1372 1372 1339 1339 1030 620 1140 1140 1140 1140 1140 1140 885 885 985 1159 985 917 917
        917 985 985 985 985 985 985 816 816 816 816 822 822 822 822 822 732 710 0 0 0 0 0 0 550 550 550
        0 0 550 889 0 889 0 889 0 0 0 0 583 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 591 591
        591 591 591 591 591 591 591 591
    """,
    0x10D0: """
        559 569 639 900 559 564 551 881 569 561 1171 575 575 865 559 569 875 575 720 575 908 564 865 569
        569 575 628 575 569 572 575 500 559 569 559 559 569 610 910 607 559 628 559 493 356
    """,
    0x1E9E: "845",
    0x2010: """
        397 397 700 550 1100 1100 550 550 350 350 350 350 570 570 570 570 550 550 649 649 368 734 1100
        350 0 0 0 0 0 0 0 220 1476 1909 250 411 572 250 411 572 373 440 440 922 534 584 550 884 884 275
        1100 550 184 429 429 1014 806 806 547 700 550 550 550 371 884 550 495 1100 884 922 645 729 922
        922 350 877 922 350 350
    """,
    0x20A0: """
        965 700 700 700 700 1072 700 1400 1181 1088 863 700 700 700 700 1400 700 700 700 700 851 700 0 0
        700 700 700 0 0 700
    """,
    0x2103: "1235",
    0x2116: "1144",
    0x2122: "1100",
}
_ADVANCES = _widths(_RUNS)

# Arabic letters that are joined to the next one: the mean of the initial and the medial form.
_JOINED_RUN = {
    0x0626: """
        319 0 319 0 319 319 695 695 695 0 0 0 0 952 952 944 944 888 888 594 553 0 0 0 0 0 0 541 541 566
        350 612 319 544 0 319 319 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        319 541 0 0 0 0 0 0 0 0 0 319 319 319 319 319 319 319 319 695 695 695 695 695 695 695 0 0 0 0 0
        0 0 0 0 0 0 0 0 0 0 0 0 0 952 952 952 944 944 888 594 541 541 541 541 541 541 541 541 566 955
        566 566 566 566 566 566 566 566 566 566 350 350 350 350 319 319 319 319 319 544 695 0 0 0 0 0 0
        0 0 0 0 0 0 319 0 319 0 319
    """,
}
_JOINED = _widths(_JOINED_RUN)

# The usual width of a block: arrows and mathematical operators, lines, blocks and geometric shapes, miscellaneous
# symbols, dingbats.
_SPANS = (
    (0x2190, 0x22FF, 922),
    (0x2500, 0x257F, 662),
    (0x2580, 0x25FF, 846),
    (0x2600, 0x26FF, 986),
    (0x2700, 0x27BF, 922),
)
