"""Takes out of a snapshot what names a company, a machine or a person, and keeps what a fault needs.

Every string is taken apart into words. A word that this package's own source knows is public, since
no check can look for another one; every other word, and every address, gets a pseudonym that keeps
its relations. What a fact of later brings is therefore hidden without being listed anywhere.
"""
