from vibe4vets.resources.router.public import router as public

__all__ = ["public"]
