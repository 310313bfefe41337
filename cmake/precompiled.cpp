// Only here to have the precompiled header made.
