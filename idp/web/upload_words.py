"""Why a file was refused, in a sentence with what to do about it; sizes and kinds in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from idp.adapters.inspection import ENDINGS, Kind, UploadRefused, Why
from idp.config import Settings

_SENTENCES: Final = {
    Why.EMPTY: "这个文件是空的。请检查文件后重新选择",
    Why.TOO_LARGE: "这个文件是 {size}，超过 {most} MB。请压缩或重新拍照后再上传",
    Why.WRONG_KIND: "这里只能上传 {kinds} 格式的文件。请转换格式或重新拍照后再上传",
    Why.NOT_WHAT_IT_SAYS: "文件内容和扩展名不一致，没有保存。请不要只改扩展名，要用原来的软件另存为 {kinds}",
    Why.UNREADABLE: "这个文件打不开，可能已经损坏。请在自己的设备上打开确认后，重新导出或拍照再上传",
    Why.ENCRYPTED: "这个文件设置了密码，工作人员打不开。请去掉密码后再上传",
    Why.ACTIVE: "文件里有宏、脚本、嵌入的文件或外部内容，为保护安全没有保存。请另存为不含这些内容的文件，"
    "或者打印后拍照上传",
    Why.TWO_THINGS: "文件里夹带了其他文件，为保护安全没有保存。请重新导出或拍照后再上传",
    Why.ANIMATED: "这是动态图片，工作人员无法审核。请上传静态的照片",
    Why.TOO_MANY_PIXELS: "图片太大，超过 4,000 万像素。请缩小或重新拍照后再上传",
    Why.TOO_MANY_PAGES: "这个文件超过 20 页。请只保留需要的页面后再上传",
    Why.TOO_MUCH_INSIDE: "文件解开后的内容太多，没有保存。请重新导出，或者拍照后再上传",
    Why.INFECTED: "安全检查发现这个文件带有病毒，没有保存。请先给自己的设备杀毒，再上传干净的文件",
    Why.UNCHECKED: "现在无法检查文件安全，这个文件没有保存。请稍后再试",
    Why.CROWDED: "现在上传文件的人较多，这个文件没有保存。请稍后再试",
    Why.NO_SPACE: "现在无法保存文件，我们正在处理。请稍后再试",
    Why.QUOTA: "您在一小时内上传的文件太多，这个文件没有保存。请过一小时再试",
    Why.OWNER_FULL: "全部文件合计不能超过 {all} MB。请移除不需要的文件，或者压缩后再上传",
}


def sentence(refused: UploadRefused, kinds: Sequence[Kind], settings: Settings, *, size: int = 0) -> str:
    """What the person is told of a file of `size` octets, at a field that takes `kinds`."""
    return _SENTENCES[refused.why].format(
        size=size_words(size),
        most=settings.upload_file_mb,
        all=settings.upload_owner_mb,
        kinds=kinds_words(kinds),
    )


def kinds_words(kinds: Sequence[Kind]) -> str:
    """The kinds as people call them: PDF、JPG、PNG."""
    return "、".join(ENDINGS[kind][0].upper() for kind in kinds)


def size_words(octets: int) -> str:
    """A size for people, rounded up where it counts against a bound: 824 KB, 12.4 MB."""
    if octets < 1024 * 1024:
        return f"{max(1, -(-octets // 1024))} KB"
    return f"{-(-octets * 10 // (1024 * 1024)) / 10:.1f} MB"
