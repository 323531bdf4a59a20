"""Policies of researchers: asking them, teaching them, and what they have become."""

import inspect
import json
import os
import pickle
import sys

from . import np
from .actions import fit_action
from .bounds import MAX_STATE, SMALL_STATE
from .errors import Fault, bad_experiment, message_of, text_of
from .files import accepts, call_with, find_file, names_parameter, run_file, short_hash, source_of, within
from .lessons import bind_update
from .notices import warnings
from .spaces import OPAQUE
from .states import pack_folder, unpack_folder
from .streams import streams
from .values import decode


class Policy:
    """A policy of researchers at work in one role."""

    def __init__(self, worker, request, blobs):
        self.worker = worker
        self.role = request["role"]
        self.kwargs = decode(request.get("kwargs"), blobs) or {}
        self.space = request.get("action") or OPAQUE
        self.seed = int(request.get("seed") or 0)
        self.path = find_file(worker.root, worker.gallery, request.get("file"), "policy of role %s" % self.role)
        self.folder = os.path.join(os.path.dirname(self.path), "saved_models")
        self.base = short_hash(source_of(self.path), json.dumps(self.kwargs, sort_keys=True, default=text_of))
        self.reported = None
        self._prepare_folder()
        state = request.get("state")
        state = None if state is None else bytes(blobs[state])
        if state is not None and state[:1] == b"T":
            unpack_folder(state[1:], self.folder)
        self._load()
        if state is None or state[:1] == b"T":
            self._settle()
        else:
            self._set_state(state)

    def _prepare_folder(self):
        if not within(os.path.realpath(self.folder), self.worker.root, self.worker.gallery):
            raise bad_experiment("saved_models of role %s lies outside the experiment's files" % self.role)
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as e:
            raise bad_experiment("saved_models of role %s cannot be made: %s" % (self.role, e)) from None

    def _load(self):
        """Executes the file and takes its policy."""
        folder = os.path.dirname(self.path)
        if not sys.path or sys.path[0] != folder:
            sys.path.insert(0, folder)
        streams.seed(self.role, self.seed)
        self.worker.progress.enter("load", self.role)
        module = run_file("policy_" + self.role, self.path, True)
        if not hasattr(module, "policy"):
            raise bad_experiment("%s has no `policy`: the file must end with one, such as policy = MyPolicy()" % os.path.basename(self.path))
        policy = module.policy
        if inspect.isclass(policy) or callable(policy) and not hasattr(policy, "predict"):
            policy = call_with(policy, self.kwargs, "kwargs of the policy of role %s" % self.role)
        elif self.kwargs:
            warnings.say("the policy of role %s is an instance, which takes no kwargs: they have no effect" % self.role)
        self.worker.progress.leave()
        self.instance = policy
        self.predict = getattr(policy, "predict", None)
        if not callable(self.predict):
            raise bad_experiment("the policy of role %s has no method predict(observation)" % self.role)
        self.takes_mask = names_parameter(self.predict, "action_mask")
        self.takes_input = accepts(self.predict, "participant_input")
        update = getattr(policy, "update", None)
        self.update = bind_update(update, self.role) if callable(update) else None
        self.get_state = self._method("get_state")
        self.set_state = self._method("set_state")
        if (self.get_state is None) != (self.set_state is None):
            warnings.say("the policy of role %s has only one of get_state and set_state: both are needed, so saved_models is kept" % self.role)
            self.get_state = self.set_state = None

    def _method(self, name):
        method = getattr(self.instance, name, None)
        return method if callable(method) else None

    @property
    def checkpointer(self):
        return self.get_state is not None or self.update is not None

    # -- acting and learning

    def ask(self, observation, mask, advice, warn=True):
        """What predict returns, called exactly once."""
        more = {}
        if advice is not None:
            if not self.takes_input:
                raise Fault(
                    "predict of role %s takes no participant_input, which inputs_type other hands to it" % self.role, phase="act", role=self.role
                )
            more["participant_input"] = advice
        if self.takes_mask:
            more["action_mask"] = mask if mask is None or np is None else np.asarray(mask, dtype="int8")
        streams.enter(self.role)
        self.worker.progress.enter("act", self.role)
        out = self.predict(observation, **more)
        self.worker.progress.leave()
        if type(out) is tuple and len(out) == 2 and self.space["type"] not in ("opaque", "tuple"):
            out = out[0]  # an action and the policy's own memory, as in Stable-Baselines3
        return out

    def fit(self, action, mask):
        """What predict returned as the role's space wants it."""
        if self.space["type"] == "opaque":
            return action
        try:
            out = fit_action(self.space, action, self._clipped)
        except ValueError as e:
            raise Fault("the policy of role %s returned %s" % (self.role, e), phase="act", role=self.role) from None
        if mask is not None and self.space["type"] == "discrete":
            at = out - (self.space.get("start") or 0)
            if at < len(mask) and not mask[at]:
                raise Fault("the policy of role %s returned %d, which the action mask does not allow now" % (self.role, out), phase="act", role=self.role)
        return out

    def _clipped(self):
        warnings.say("the policy of role %s returns actions outside its space: they are clipped" % self.role)

    def learn(self, transition):
        streams.enter(self.role)
        self.worker.progress.enter("update", self.role)
        self.update(transition)
        self._updated()
        self.worker.progress.leave()

    # -- state and version

    def _settle(self):
        """The version of what was loaded."""
        self.updates = 0
        self.given = None
        self.small = True
        self.digest = ""
        if self.get_state is not None:
            blob = self._pickle()
            self.small = len(blob) <= SMALL_STATE
            self.digest = self.own = short_hash(blob)
            self.given = blob if self.small else None
        elif self.update is not None:
            tar = pack_folder(self.folder)
            self.digest = short_hash(tar) if tar else ""

    def _pickle(self):
        streams.enter(self.role)
        self.worker.progress.enter("checkpoint", self.role)
        try:
            blob = b"P" + pickle.dumps(self.get_state(), protocol=4)
        except (pickle.PicklingError, TypeError, AttributeError) as e:
            raise Fault("what get_state of role %s returns cannot be stored: %s" % (self.role, e), phase="checkpoint", role=self.role) from e
        finally:
            self.worker.progress.leave()
        if len(blob) > MAX_STATE:
            raise Fault("the state of role %s has %d MiB: at most %d MiB can be kept" % (self.role, len(blob) >> 20, MAX_STATE >> 20), phase="checkpoint", role=self.role)
        return blob

    def _updated(self):
        if self.get_state is None or not self.small:
            self.updates += 1
            return
        blob = self._pickle()
        digest = short_hash(blob)
        self.small = len(blob) <= SMALL_STATE
        if digest != self.own:
            self.own = self.digest = digest
            self.given = blob

    @property
    def version(self):
        out = self.base + ("." + self.digest if self.digest else "")
        return "%s+%d" % (out, self.updates) if self.updates else out

    def news(self):
        """The version where it is another than the one told last, else None."""
        version = self.version
        if version == self.reported:
            return None
        self.reported = version
        return version

    def state(self):
        """The state as bytes, or None where there is none; the version is then its hash."""
        if self.get_state is None:
            if self.update is None:
                return None
            self.worker.progress.enter("checkpoint", self.role)
            tar = pack_folder(self.folder)
            self.worker.progress.leave()
            out = None if tar is None else b"T" + tar
            self.digest, self.updates = short_hash(tar) if tar else self._forgotten(), 0
            return out
        blob = self._pickle()
        own = short_hash(blob)
        if own == self.own and self.given is not None:
            return self.given
        self.own = self.digest = own
        self.updates = 0
        self.given = blob if len(blob) <= SMALL_STATE else None
        return blob

    def _forgotten(self):
        """The digest of a learner that stored nothing: what it learned is its own alone."""
        if self.updates or self.digest.startswith("unsaved"):
            before = self.digest[7:] if self.digest.startswith("unsaved") else "0"
            return "unsaved%d" % (int(before) + self.updates)
        return ""

    def restore(self, blob):
        if blob[:1] == b"T":
            self._prepare_folder()
            unpack_folder(blob[1:], self.folder)
            self._load()
            self._settle()
        else:
            self._set_state(blob)

    def _set_state(self, blob):
        if blob[:1] != b"P":
            raise Fault("the state of role %s is of an unknown kind" % self.role, phase="checkpoint", role=self.role)
        if self.set_state is None:
            raise Fault(
                "the state of role %s comes from get_state, and its policy has no set_state" % self.role,
                phase="checkpoint", role=self.role, state="bad_experiment",
            )
        streams.enter(self.role)
        self.worker.progress.enter("checkpoint", self.role)
        try:
            state = pickle.loads(blob[1:])
        except Exception as e:
            raise Fault("the state of role %s cannot be read: %s" % (self.role, message_of(e))) from e
        self.set_state(state)
        self.worker.progress.leave()
        # a new pickle may differ in its bytes from the one it was made of
        self.own = short_hash(self._pickle())
        self.updates = 0
        self.digest = short_hash(blob)
        self.small = len(blob) <= SMALL_STATE
        self.given = blob
