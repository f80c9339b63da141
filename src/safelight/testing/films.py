"""A very small film, for fakes that must deliver something real."""

from __future__ import annotations

import base64
import zlib

_PACKED = (
    "eNp9VV1oXEUUnk2sBlGIWmPE1E6x9cVmc+9mu6Qpt2QNwSgR+2D7IIXL3Jm5e697/3Zm9q8IjVpoBfXRhzXVJ9FKQB8EXxR9KD5Jnw1ItYLW4k"
    "/okyG2uZ65u0m2qe0wP2fO+c4595wzMxchhF3VTnwZhwgNIL3CKJAGNcOkaCKEhlzBOUKDr4aMKMB8cO+uNO38OHft699W5r987+APeOWpv1db"
    "hVIRj2MaC47N0iEg5/PAmnjx2Nxz40VcPjELMsYpCGbjpB1wV+GCYUyOF4yCRntKJdMTE81mM9/wGY8DEuVjUZnQdvOeCgPAxIny40hOY0ocQi"
    "0TC+7CzLgTxLRqmdPGtIFJRIK25JbRmpw2WqY5iUNuebyFZd0BqoAT2QYlmG3BLDNvgBJMOPRbnNnaItDcFiSqcMssYeqJOCQ2qJpYCR4EvgTE"
    "VGuKUQUsWgthyzhhp+IIzJsHTRO7RCo7kVU/0YiugVpix64ruQK48gQoSBAGcVwlHmzsbZ4MfMq3GQaOROaC+iFR+jP8SHEREAAB3wnqgrRtGo"
    "cJ0bYpZEgJ4kdgAoCCaIwrSMilNYkdO2kD7TNIhGMTRhIdhGM7PtGemC94FlaT+xVPOUDFCY/sSpyAtMvUMVV5G2xbhUNGj7RDP7KmsKQ84rSu"
    "rKKBM+c6oYJLD7QFtbeitUy9t6hwcehAVnVUsAG1vIFrOhbLyJeATLTdbCUtq3QYCKl4YhWxn0CJ4DhABcEXqUH1dS3RIpzYEX7uDDqSXh76dS"
    "F94/sn3z/27cedxcs3QfJYubNv9OzpjaOPLOxN3/1w3Tny9Hn76KdTXdGzW6K3T18792en/tr6J1dA9Gi5Q0fPphszD+7Zm/50Y/mvfPXl8z+D"
    "YLjcOaN1rpqrN8LmH/9eB95D5c5HPV669sI/G8/UgPlwufPdlvHP1g9f+uICcHeXO1e3uO9888t9I3MHXoeb9lIYxw2QB2HDY+iWNvh7NnJI9+"
    "2WuxW1cz+D7toGoLehWFWgT6pq5nPwdmva9939/K9f3BsI7edMSVjHeCDVtoa2O9zTzV0PmU+0Rsh2xj6TjeMXs824xwKxKdEvRj/yhH5B5knE"
    "Aq4xuSU4Ra5OeCPMjPZ/5n7WlY0xOKp9YTxQFwHu0rmTUjkB0MtSSdaHWdLP5B1SoYPGaB7W+TsidrbRNIVZP76zOYbuT6+gkQqsyyvPezO6JD"
    "DdM3jxLb6YQ7u81TeXPr+5tqb1dsMd6iX0ieFNW1Jlyd70PJR1wEIM/Xw9Rult2MzMGGDpDuxQby2C7FTftwN/4Cv9Ab3xuPalL4++kNpH1zeN"
    "++wZMJw6U7rgr4Q8W3Xb119cOBCCJEnQn6hxv3uCDlxQsTa4B35NZDPFC6Thlgp5E7pR+A+b1Kkg"
)


def tiny_mp4() -> bytes:
    """A valid H.264 MP4 of 32x32 pixels and one second: grey that grows lighter."""
    return zlib.decompress(base64.b64decode(_PACKED))
