"""A run in TensorBoard: readings as scalars, events as text, pictures and sounds, over ticks. An extra.

Written with TensorBoard's own records, so that it needs neither torch nor TensorFlow.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from rerail.core.extras import need
from rerail.tell import fields
from rerail.tell.shown import Shown

if TYPE_CHECKING:
    from rerail.tell.fields import Record

EXTRA = "tensorboard"
_PNG_SIZE = slice(16, 24)  # width and height in the first chunk, big-endian (PNG specification, 11.2.2)
_WAV_FORMAT = 22  # bytes before channels (16 bits) and frames a second (32), little-endian
_RGBA = 4
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>&#+!|~]")  # to Markdown or HTML


@final
class TensorBoard:
    """A listener that writes to a folder for `tensorboard --logdir`; `run` is where the pictures and sounds are.

    Raises:
        ModuleNotFoundError: naming the command that installs TensorBoard.
    """

    def __init__(self, folder: Path, *, run: Path) -> None:
        self._event: Any = need("tensorboard.compat.proto.event_pb2", extra=EXTRA).Event
        self._proto: Any = need("tensorboard.compat.proto.summary_pb2", extra=EXTRA)
        self._tensor: Any = need("tensorboard.compat.proto.tensor_pb2", extra=EXTRA).TensorProto
        records: Any = need("tensorboard.summary.writer.record_writer", extra=EXTRA)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 10**9:010d}.{socket.gethostname()}.{os.getpid()}.rerail"
        self._writer = records.RecordWriter((folder / name).open("ab"))
        self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))
        self._shown = Shown(run)

    def __call__(self, record: Record) -> None:
        """Take one journal record."""
        self._shown.update(record)
        values = [self._value(name, simple_value=value) for name, value in self._shown.curves(record).items()]
        if events := self._shown.events(record):
            values.append(self._text("events", "\n".join(f"- {as_markdown(one)}" for one in events)))
        if picture := self._shown.file(record, "image/png"):
            values.append(self._value(fields.text(record, "name"), image=self._image(picture)))
        if sound := self._shown.file(record, "audio/wav"):
            values.append(self._value(fields.text(record, "name"), audio=self._audio(sound)))
        if values:
            at, summary = fields.number(record.get("time")) or 0.0, self._proto.Summary(value=values)
            self._write(self._event(wall_time=at, step=self._shown.tick, summary=summary))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._writer.close()

    def _write(self, event: Any) -> None:  # noqa: ANN401 (a message of TensorBoard)
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def _value(self, tag: str, **what: object) -> Any:  # noqa: ANN401
        return self._proto.Summary.Value(tag=tag, **what)

    def _text(self, tag: str, markdown: str) -> Any:  # noqa: ANN401
        kind = self._proto.SummaryMetadata.PluginData(plugin_name="text")
        metadata = self._proto.SummaryMetadata(plugin_data=kind, data_class=self._proto.DATA_CLASS_TENSOR)
        tensor = self._tensor(dtype="DT_STRING", string_val=[markdown.encode()], tensor_shape={"dim": [{"size": 1}]})
        return self._value(tag, tensor=tensor, metadata=metadata)

    def _image(self, path: Path) -> Any:  # noqa: ANN401
        png = path.read_bytes()
        width, height = struct.unpack(">II", png[_PNG_SIZE])
        return self._proto.Summary.Image(width=width, height=height, colorspace=_RGBA, encoded_image_string=png)

    def _audio(self, path: Path) -> Any:  # noqa: ANN401
        wav = path.read_bytes()
        channels, rate = struct.unpack_from("<HI", wav, _WAV_FORMAT)
        told = {"num_channels": channels, "sample_rate": rate, "content_type": "audio/wav"}
        return self._proto.Summary.Audio(encoded_audio_string=wav, **told)


def as_markdown(line: str) -> str:
    """Return Markdown (and HTML within it) that shows a line as it is."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", line)
