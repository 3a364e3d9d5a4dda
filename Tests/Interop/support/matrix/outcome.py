"""What came of a call, in a form that all clients share."""
import dataclasses


@dataclasses.dataclass(repr=False)
class Outcome:
    """`code` is "ok" or a Connect code. Metadata: name → values, None where the client does not tell."""

    code: str = "ok"
    message: str = ""
    # (type name, bytes); None where the client does not tell
    details: list | None = dataclasses.field(default_factory=list)
    # `debug` of each detail, for Connect
    debug: list | None = None
    items: list = dataclasses.field(default_factory=list)
    leading: dict | None = None
    trailing: dict | None = None
    # Of the gateway's own errors; None where the client does not tell
    gateway_error: str | None = None
    tells_gateway_error: bool = False
    # Answers that came compressed; None where the client does not tell
    compressed: int | None = None

    def __repr__(self):
        """Short: some answers are long."""
        return (f"<{self.code}: {self.message[:300]!r}, {len(self.items)} answers, gateway-error {self.gateway_error}, details "
                f"{self.details}, leading {self.leading}, trailing {self.trailing}>")
