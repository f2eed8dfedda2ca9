"""How coarse a VP8 frame is, read from its header (RFC 6386, sections 7 and 9)."""

from __future__ import annotations


def base_quantiser(packet: bytes) -> int:
    """The quantiser index, 0 (finest) to 127, that a frame's header gives for its luma."""
    key_frame = not packet[0] & 1
    read = _BoolDecoder(packet[10 if key_frame else 3 :])
    if key_frame:
        read.bits(2)  # colour space, clamping
    if read.bits(1):  # segmentation
        new_map, new_data = read.bits(1), read.bits(1)
        if new_data:
            read.bits(1)
            for width in (7, 7, 7, 7, 6, 6, 6, 6):
                if read.bits(1):
                    read.bits(width + 1)
        if new_map:
            for _ in range(3):
                if read.bits(1):
                    read.bits(8)
    read.bits(10)  # loop filter: type, level, sharpness
    if read.bits(1) and read.bits(1):  # its adjustments, and whether they are sent
        for _ in range(8):
            if read.bits(1):
                read.bits(7)
    read.bits(2)  # partitions
    return read.bits(7)


class _BoolDecoder:
    """The arithmetic decoder of section 7, for bits that are 0 and 1 equally often."""

    def __init__(self, data: bytes) -> None:
        self._data, self._next = data, 2
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._range, self._shifted = 255, 0

    def bits(self, count: int) -> int:
        """An unsigned number of so many bits, the highest first."""
        number = 0
        for _ in range(count):
            number = 2 * number + self._bit()
        return number

    def _bit(self) -> int:
        split = 1 + ((self._range - 1) >> 1)
        bit = int(self._value >= split << 8)
        if bit:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:
            self._value <<= 1
            self._range <<= 1
            self._shifted += 1
            if self._shifted == 8:
                self._shifted = 0
                if self._next < len(self._data):
                    self._value |= self._data[self._next]
                self._next += 1
        return bit
