# SPDX-License-Identifier: GPL-2.0-or-later
"""Labels in photos: made by zint, turned and blurred."""

import io
import subprocess

import pytest
from PIL import Image, ImageFilter



def photo(tmp_path, symbology, text, degrees, sigma=1):
    """A label as a JPEG picture."""
    path = tmp_path / "label.png"
    subprocess.run(["zint", "-b", str(symbology), "-d", text, "-o", path, "--scale", "3", "--whitesp", "10",
                    "--vwhitesp", "10"], check=True, capture_output=True)
    picture = Image.open(path).convert("L").rotate(degrees, expand=True, fillcolor=255,
                                                   resample=Image.BICUBIC)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(sigma)).save(out, "JPEG", quality=85)
    return out.getvalue()


CODE128, QR = 20, 58


@pytest.mark.parametrize("degrees", range(0, 180, 20))
@pytest.mark.parametrize("symbology", [CODE128, QR])
def test_labels_at_any_angle(gateway, tmp_path, symbology, degrees):
    text = "806000000099:0102030405060708090A0B0C0D0E0F1090FD" if symbology == QR else "806000000099"
    reply = gateway.owner.ask("POST", "/scan", photo(tmp_path, symbology, text, degrees),
                              Content_Type="image/jpeg")
    assert reply.status == 200, reply.body
    label, = reply.json["labels"]
    assert label["text"] == text and label["serial"] == "806000000099" and not label["known"]


def test_a_known_label_and_one_of_something_else(gateway, tmp_path):
    for text, words, known in ((gateway.labels[0], "is here already", True),
                               ("https://example.com", "not the label", False)):
        label, = gateway.owner.ask("POST", "/scan", photo(tmp_path, QR, text, 0),
                                   Content_Type="image/jpeg").json["labels"]
        assert words in label["message"] and label["known"] == known


@pytest.mark.parametrize("body", [b"", b"GIF89a", b"\xff\xd8\xff" + b"\0" * 5000])
def test_what_is_no_picture(gateway, body):
    reply = gateway.owner.ask("POST", "/scan", body, Content_Type="image/jpeg")
    assert reply.status == 400 and "JPEG" in reply.json["error"]["message"]


def test_a_picture_that_is_too_large(gateway):
    """It is refused by its stated length, before it is sent."""
    connection = gateway.owner.connection()
    connection.putrequest("POST", "/api/v1/scan")
    connection.putheader("Authorization", f"Bearer {gateway.owner.token}")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", str(16 * 1024 * 1024 + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
