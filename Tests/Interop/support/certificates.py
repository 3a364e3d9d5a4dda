"""Certificates made on the spot by `cryptography`: authorities, and what they sign."""
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def write(path, data):
    """Writes a file that is new: nobody's certificate may be replaced behind its back."""
    with open(path, "xb") as file:
        file.write(data)
    return path


class Identity:
    """A certificate and its key, and the paths of their PEM files. `chain` also holds the intermediate ones."""

    def __init__(self, folder, name, certificate, key, above=()):
        self.certificate, self.key = certificate, key
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())
        self.pem, self.key_pem = pem, key_pem
        self.file = write(os.path.join(folder, f"{name}.pem"), pem)
        self.key_file = write(os.path.join(folder, f"{name}.key"), key_pem)
        self.chain = write(os.path.join(folder, f"{name}.chain.pem"), pem + b"".join(one.pem for one in above))


class Authority(Identity):
    """Signs: `issue(name, names=[…])` gives an Identity."""

    def __init__(self, folder, name, parent=None):
        self.folder = folder
        self.above = [] if parent is None else [parent, *parent.above]
        key = ec.generate_private_key(ec.SECP256R1())
        subject = common_name(f"{name} of the gateway's tests")
        signer = key if parent is None else parent.key
        issuer = subject if parent is None else parent.certificate.subject
        certificate = (start(subject, issuer, key, expired=False)
                       .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                       .sign(signer, hashes.SHA256()))
        super().__init__(folder, name, certificate, key)

    def issue(self, name, names=("localhost", "127.0.0.1"), expired=False, is_rsa=False):
        key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([alternative(one) for one in names])
        certificate = (start(common_name(name), self.certificate.subject, key, expired)
                       .add_extension(alternatives, critical=False)
                       .sign(self.key, hashes.SHA256()))
        # A root is not sent: who does not have it does not trust it.
        above = [one for one in (self, *self.above) if one.above]
        return Identity(self.folder, name, certificate, key, above)


def common_name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def alternative(name):
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def start(subject, issuer, key, expired):
    now = datetime.datetime.now(datetime.timezone.utc)
    end = now - DAY if expired else now + 30 * DAY
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - 3 * DAY).not_valid_after(end))


class Certificates:
    """Everything the TLS tests need, in one folder."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.authority = Authority(self.folder, "authority")
        self.other_authority = Authority(self.folder, "other-authority")
        self.intermediate = Authority(self.folder, "intermediate", self.authority)
        self.server = self.intermediate.issue("server")
        self.rsa_server = self.authority.issue("rsa-server", is_rsa=True)
        self.expired = self.authority.issue("expired", expired=True)
        self.elsewhere = self.authority.issue("elsewhere", names=["elsewhere.test", "192.0.2.1"])
        self.client = self.authority.issue("client", names=["client.test"])
        self.expired_client = self.authority.issue("expired-client", names=["client.test"], expired=True)
        self.wrong_client = self.other_authority.issue("wrong-client", names=["client.test"])

    def encrypted_key(self):
        """The server's key under a passphrase."""
        data = self.server.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.BestAvailableEncryption(b"secret"))
        return write(os.path.join(self.folder, "encrypted.key"), data)
